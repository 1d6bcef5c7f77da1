import type { AuditEntry } from '../../../src/control/contract/audit.ts';
import { clockOf, dayOf, utc } from '../parts/time.ts';
import { CopyText } from './copy-text.tsx';
import { Field, Section } from './field.tsx';
import classes from './record.module.css';
import { AccessSections } from './record-access.tsx';
import { Verdict } from './verdict.tsx';
import { kindWord } from './words.ts';

export function Record({ entry }: { entry: AuditEntry }) {
  const { event, row, recorded } = entry;
  const { personal } = event;
  return (
    <article>
      <header className={classes['head']}>
        <div className={classes['verdict']}>
          <Verdict row={row} />
        </div>
        <p className={classes['summary']}>
          {row.method && <b className="mono">{row.method} </b>}
          <span className={row.method ? 'mono' : undefined}>{row.summary}</span>
        </p>
        <p className={classes['time']}>
          {dayOf(event.at)}, {clockOf(event.at)} <span className="mono">({utc(event.at)})</span>
        </p>
        <div className={classes['copy']}>
          <CopyText label="Copy reference id" text={event.id} />
          <CopyText label="Copy link" text={`${window.location.origin}/audit/${event.id}`} />
        </div>
      </header>

      {(personal || event.principal) && (
        <Section title="Who">
          <Field label="Name">{personal?.name}</Field>
          <Field label="E-mail">{personal?.email}</Field>
          <Field label="Subject" mono>
            {personal?.subject}
          </Field>
          <Field label="Issuer" mono>
            {personal?.issuer}
          </Field>
          <Field label="Groups as used">{personal?.groups?.join(', ')}</Field>
          <Field label="Principal" mono>
            {event.principal}
          </Field>
          <Field label="Session" mono>
            {event.session}
          </Field>
        </Section>
      )}
      {(personal?.address || personal?.userAgent) && (
        <Section title="From where">
          <Field label="Address" mono>
            {personal.address}
          </Field>
          <Field label="Browser or program">{personal.userAgent}</Field>
        </Section>
      )}

      {event.kind === 'access.intent' ? (
        <AccessSections event={event} outcome={entry.outcome} />
      ) : (
        <Section title="What happened">
          <Field label="Kind">{kindWord(event.kind)}</Field>
          {details(event).map(([label, text]) => (
            <Field key={label} label={label} mono>
              {text}
            </Field>
          ))}
        </Section>
      )}

      {entry.facts && (
        <Section title="How signed in: the facts as used">
          {Object.entries(entry.facts).map(([name, value]) => (
            <Field key={name} label={name} mono>
              {plain(value)}
            </Field>
          ))}
        </Section>
      )}
      <Section title="In the log">
        <Field label="Reference id" mono>
          {event.id}
        </Field>
        <Field label="Log" mono>
          {recorded.log}
        </Field>
        <Field label="Index" mono>
          {String(recorded.index)}
        </Field>
        <Field label="Leaf hash" mono>
          {recorded.leafHash}
        </Field>
        <Field label="Facts hash" mono>
          {event.facts}
        </Field>
      </Section>
    </article>
  );
}

const SHOWN_ELSEWHERE = new Set(['id', 'at', 'kind', 'principal', 'session', 'facts', 'personal']);

/** The fields that only this kind of event has, under their own names. */
function details(event: AuditEntry['event']): [string, string][] {
  return Object.entries(event)
    .filter(([name]) => !SHOWN_ELSEWHERE.has(name))
    .map(([name, value]) => [name, name.endsWith('At') || name === 'since' ? utc(Number(value)) : plain(value)]);
}

function plain(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join('\n') || '–';
  return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 1) : String(value);
}
