import type { LeaseView, LeaseWish } from '../../domain/lease.ts';
import type { Presented } from '../../domain/session.ts';
import { type ErrorCode, PosternError } from '../../lib/errors.ts';
import { callerOf } from '../caller.ts';
import { EndedLease, Lease, LeaseList, LeaseQuery, NewLease } from '../contract/leases.ts';
import { IdParams, Nothing } from '../contract/parts.ts';
import { isOneOf, OPERATORS, personOf, requireOneOf } from '../permission.ts';
import { personName } from '../person-name.ts';
import type { ControlPlugin, Person } from '../ports.ts';
import { problemOf, sendProblem } from '../problem.ts';
import { presentedIn, type RelayAddress } from '../sign-in/presented.ts';

/** The ports of this relay. */
export interface Leasing {
  /** Undecided by roles: the policy says who may. */
  open(wish: LeaseWish): Promise<LeaseView | RefusedLease>;
  list(): readonly LeaseView[];
  /** False when there is none. */
  end(id: string, by?: string): boolean;
}

/** `reference` finds the record of a denial. */
export interface RefusedLease {
  readonly refusal: {
    readonly status: number;
    readonly code: ErrorCode;
    readonly message: string;
    readonly contact?: string | undefined;
  };
  readonly reference?: string;
}

export interface LeaseRoutesDeps extends RelayAddress {
  /** Undefined where none are configured. */
  readonly leases: Leasing | undefined;
}

/** Leased ports: one's own; everyone's for those who answer for them. */
export function leaseRoutes({ leases, ...relay }: LeaseRoutesDeps): ControlPlugin {
  return async (app) => {
    app.post<{ Body: NewLease }>(
      '/api/v1/leases',
      {
        config: { permission: 'signed-in', summary: 'Lease a port to a resource, open from my address alone' },
        schema: { body: NewLease, response: { 200: Lease } },
      },
      async (request, reply) => {
        if (!leases) {
          throw new PosternError('not_found', 'This relay leases no ports: "leases" is not in its postern.yaml.');
        }
        const person = personOf(request);
        const presented: Presented = presentedIn(request, person, relay);
        const { resource, connections = 1 } = request.body;
        const opened = await leases.open({
          presented,
          via: person.token === undefined ? 'cookie' : 'token',
          ...callerOf(request),
          resource,
          connections,
        });
        if ('refusal' in opened) {
          const { status, code, message, contact } = opened.refusal;
          const said = contact === undefined ? message : `${message} Whom to ask: ${contact}.`;
          return sendProblem(reply, problemOf({ code, message: said }, opened.reference ?? request.id, { status }));
        }
        return reply.send(summaryOf(opened));
      },
    );

    app.get<{ Querystring: LeaseQuery }>(
      '/api/v1/leases',
      {
        config: { permission: 'signed-in', summary: 'Leased ports: my own, or everyone’s (admin, security)' },
        schema: { querystring: LeaseQuery, response: { 200: LeaseList } },
      },
      (request): LeaseList => {
        const person = personOf(request);
        const everyone = request.query.of === 'everyone';
        if (everyone) requireOneOf(person, OPERATORS);
        const found = (leases?.list() ?? []).filter((lease) => everyone || isMine(lease, person));
        return { leases: found.map(summaryOf).toSorted((a, b) => (a.id < b.id ? 1 : -1)) };
      },
    );

    app.delete<{ Params: { id: string } }>(
      '/api/v1/leases/:id',
      {
        config: {
          permission: 'signed-in',
          summary: 'End a lease with its connections: one of my own, or anyone’s (admin, security)',
        },
        schema: { params: IdParams, body: Nothing, response: { 200: EndedLease } },
      },
      (request) => {
        const person = personOf(request);
        const { id } = request.params;
        const lease = leases?.list().find((each) => each.id === id);
        const mine = lease !== undefined && isMine(lease, person);
        // Others' leases do not exist for those who may not end them.
        if (!lease || !(mine || isOneOf(person, OPERATORS))) {
          throw new PosternError('not_found', 'There is no such lease at this relay, or it has ended.');
        }
        leases?.end(id, mine ? undefined : person.session.principal.id);
        return { ended: id };
      },
    );
  };
}

function isMine({ session }: LeaseView, person: Person): boolean {
  return session.principal.id === person.session.principal.id;
}

function summaryOf({ session, ...lease }: LeaseView): Lease {
  return { ...lease, person: personName(session.principal), session: session.id };
}
