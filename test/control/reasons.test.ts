import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { auditRow } from '../../src/control/api/audit-row.ts';
import type { AuditEvent } from '../../src/domain/audit-event.ts';
import type { RevocationReason, TerminationReason } from '../../src/domain/change.ts';
import type { LeaseEnd } from '../../src/domain/lease.ts';
import { terminationText } from '../../src/gateway/answer/terminated.ts';
import type { TunnelEndCode } from '../../src/tunnel/tunnel-end.ts';
import { cutWord, endWord, reasonWord } from '../../web/src/audit/words.ts';
import { unionMembers } from '../docs/union-members.ts';

const CUTS = unionMembers('src/domain/change.ts', 'TerminationReason') as TerminationReason[];
const LEASE_ENDS = [...CUTS, 'used', 'expired'] satisfies LeaseEnd[];
/** RFC 6455 §5.5: what a close frame holds beside its code. */
const CLOSE_REASON_BYTES = 123;

const summaryOf = (event: Pick<AuditEvent, 'kind'> & Record<string, unknown>) =>
  auditRow({
    event: { id: 'i', at: 0, ...event } as Exclude<AuditEvent, { kind: 'access.outcome' }>,
    recorded: { id: 'i', log: 'l', index: 0, leafHash: '' },
    outcome: undefined,
    facts: undefined,
  }).summary;

/** Several words for people, not the code in another dress. */
function assertWords(text: string, code: string): void {
  assert.match(text, /^[^_]+ [^_]+$/, code);
  assert.notEqual(text, code.replaceAll('_', ' '));
}

describe('Why something ended is said in words', () => {
  it('to the person whose request, WebSocket or tunnel was cut', () => {
    assert.ok(CUTS.length >= 10, 'the reasons were read');
    for (const reason of CUTS) {
      assertWords(terminationText(reason), reason);
      assert.ok(Buffer.byteLength(terminationText(reason)) <= CLOSE_REASON_BYTES, reason);
    }
  });

  it('to who looks at an access in the console', () => {
    for (const reason of CUTS) assertWords(cutWord(reason), reason);
    for (const end of unionMembers('src/domain/audit-event.ts', 'AccessEnd')) assert.doesNotMatch(endWord(end), /_/);
    for (const reason of unionMembers('src/domain/decision.ts', 'Reason')) assertWords(reasonWord(reason), reason);
  });

  it('to who reads the list of records, there or on the command line', () => {
    for (const reason of unionMembers('src/domain/change.ts', 'RevocationReason') as RevocationReason[])
      assertWords(summaryOf({ kind: 'session.ended', reason }).replace(/^Session ended: /, ''), reason);
    for (const reason of LEASE_ENDS)
      assertWords(
        summaryOf({ kind: 'lease.ended', resource: 'db', reason }).replace('Lease of a port for db ended: ', ''),
        reason,
      );
    const sentence = 'Nothing came for 30 s.';
    for (const code of unionMembers('src/tunnel/tunnel-end.ts', 'TunnelEndCode') as TunnelEndCode[])
      assert.equal(
        summaryOf({ kind: 'agent.disconnected', agent: 'office', reason: `${code}: ${sentence}` }),
        `Disconnected: ${sentence}`,
      );
    const refused = summaryOf({ kind: 'agent.refused', agent: 'office', reason: 'agent_revoked' });
    assert.equal(refused, 'Refused: agent revoked');
    const failed = 'This sign-in took too long. Start again.';
    assert.equal(summaryOf({ kind: 'sign_in.failed', reason: failed }), `Sign-in failed: ${failed}`);
  });
});
