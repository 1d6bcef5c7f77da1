import type { AuditEntry } from '../../../src/control/contract/audit.ts';
import type { AccessIntent } from '../../../src/domain/audit-event.ts';
import { bytes, duration } from '../parts/time.ts';
import { Field, Section } from './field.tsx';
import { cutWord, endWord, reasonWord } from './words.ts';

const VIA: Readonly<Record<AccessIntent['via'], string>> = {
  cookie: 'signed in by browser session',
  token: 'signed in by a token',
  address: 'known by the address that leased the port',
  anonymous: 'not signed in',
};

const AS: Readonly<Record<AccessIntent['access'], string>> = {
  http: 'HTTP request',
  websocket: 'WebSocket',
  tcp: 'Connection',
};

interface AccessProps {
  readonly event: AccessIntent;
  readonly outcome: AuditEntry['outcome'];
}

/** What is particular to an access: what was asked, why it was decided so, where it went, how it ended. */
export function AccessSections({ event, outcome }: AccessProps) {
  const { personal } = event;
  return (
    <>
      <Section title="What">
        <Field label="Resource">{event.resource}</Field>
        <Field label="Host" mono>
          {event.host}
        </Field>
        <Field label="Address" mono>
          {event.destination}
        </Field>
        <Field label="Path" mono>
          {personal?.path}
        </Field>
        <Field label="Query" mono>
          {personal?.query}
        </Field>
        <Field label="As">
          {AS[event.access]}, {VIA[event.via]}
        </Field>
      </Section>
      <Section title="Decision">
        <Field label="Effect">{event.effect === 'allow' ? 'Allowed' : 'Denied'}</Field>
        <Field label="Why">{event.reasons.map(reasonWord).join('; ')}</Field>
        <Field label="Rule" mono>
          {event.rule}
        </Field>
        <Field label="Policy version" mono>
          {event.policyVersion}
        </Field>
      </Section>
      {event.effect === 'allow' && (
        <Section title="Where it went">
          <Field label="Agent" mono>
            {event.agent}
          </Field>
          <Field label="Tunnel" mono>
            {event.tunnel}
          </Field>
          <Field label="Stream" mono>
            {event.stream}
          </Field>
          <Field label="Request on stream">{event.ordinal === undefined ? undefined : `number ${event.ordinal}`}</Field>
        </Section>
      )}
      {event.effect === 'allow' && (
        <Section title="Outcome">
          {outcome ? (
            <>
              <Field label="End">
                {endWord(outcome.end)}
                {outcome.reason && `: ${cutWord(outcome.reason)}`}
              </Field>
              <Field label="Status">{outcome.status === undefined ? undefined : String(outcome.status)}</Field>
              <Field label="Duration">{duration(outcome.durationMs)}</Field>
              <Field label="Sent to target">{bytes(outcome.bytesUp)}</Field>
              <Field label="Sent to client">{bytes(outcome.bytesDown)}</Field>
            </>
          ) : (
            <Field label="End">Not recorded: it still runs, or how it ended is unknown.</Field>
          )}
        </Section>
      )}
    </>
  );
}
