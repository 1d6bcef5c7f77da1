import Type, { type Static } from 'typebox';
import type { Credential } from './credentials.ts';
import { answerParser, Nullable } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';

const LeaseView = Type.Object({
  id: Type.String({ pattern: '^[\\w-]{1,64}$' }),
  person: Type.Object({ id: Type.String(), name: Nullable(Type.String()), email: Nullable(Type.String()) }),
  session: Type.String(),
  resource: Type.String(),
  /** Where to connect to. */
  host: Type.String({ pattern: '^[\\w.:-]{1,253}$' }),
  port: Type.Integer(),
  /** The only one that it is open from. */
  address: Type.String({ pattern: '^[\\w.:]{1,45}$' }),
  /** How many it takes, and has taken. */
  connections: Type.Integer(),
  begun: Type.Integer(),
  openedAt: Type.Number(),
  /** Until then connections may begin. */
  expiresAt: Type.Number(),
});
/** A leased port. Times are epoch ms. */
export type LeaseView = Static<typeof LeaseView>;

const parseLease = answerParser(LeaseView);
const parseList = answerParser(Type.Object({ leases: Type.Array(LeaseView) }));

/** A port that leads from this machine's address to the resource. Rejects with `forbidden` where no rule allows it. */
export async function leasePort(
  credential: Credential,
  resource: string,
  connections: number,
  signal: AbortSignal,
): Promise<LeaseView> {
  const json = { resource, connections };
  return parseLease(await callRelay({ ...credential, method: 'POST', path: '/api/v1/leases', json, signal }));
}

/** Newest first. */
export async function listLeases(credential: Credential, everyone: boolean, signal: AbortSignal): Promise<LeaseView[]> {
  const path = `/api/v1/leases${everyone ? '?of=everyone' : ''}`;
  return parseList(await callRelay({ ...credential, path, signal })).leases;
}

/** With the connections that are open on it. */
export async function endLease(credential: Credential, id: string, signal: AbortSignal): Promise<void> {
  const path = `/api/v1/leases/${encodeURIComponent(id)}`;
  await callRelay({ ...credential, method: 'DELETE', path, json: {}, signal });
}
