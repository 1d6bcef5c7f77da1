import type { AuditEntry, AuditPage } from '../../src/control/contract/audit.ts';
import { ask } from '../measure/probe.ts';
import { BenchError } from '../setup.ts';
import { Visitor } from './sign-in.ts';

/**
 * What the newest access may be away from the end of the log: 64 requests in flight when wrk stops, before and after.
 * The embedded database cannot be read from outside, so an auditor asks the relay.
 */
export const NEWEST_SLACK = 2 * 64;

/** Gives a function that reads, as the auditor, how long the log was when its newest access was recorded. */
export async function openAuditOverApi(relayOrigin: string): Promise<() => Promise<number>> {
  const { host, port } = new URL(relayOrigin);
  const visitor = new Visitor('audrey', 'audrey');
  await visitor.visit(`${relayOrigin}/sign-in?return=/api/v1/me`);
  const read = async <T>(path: string): Promise<T> => {
    const answer = await ask(Number(port), path, {
      host,
      cookie: visitor.cookieHeader(host),
      accept: 'application/json',
    });
    if (answer.status !== 200)
      throw new BenchError(`The relay answered ${path} with ${answer.status}: ${answer.body.toString()}`);
    return JSON.parse(answer.body.toString()) as T;
  };
  return async () => {
    const { rows } = await read<AuditPage>('/api/v1/audit?limit=1&query=kind:access.intent');
    const newest = rows[0];
    if (!newest) return 0;
    const { recorded } = await read<AuditEntry>(`/api/v1/audit/${newest.id}`);
    return recorded.index + 1;
  };
}
