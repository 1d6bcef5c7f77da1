import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Session } from '../../domain/session.ts';
import type { DeviceCodes, WaitingDevice } from '../../identity/device-codes.ts';
import { clientAddress } from '../../lib/client-address.ts';
import { hasCode } from '../../lib/errors.ts';
import { closed } from '../contract/parts.ts';
import { sendPage } from '../page.ts';
import { personOf } from '../permission.ts';
import { answeredPage, codePage, confirmPage } from './device-pages.ts';
import { labelOf, Machine, RATE, Redeemed } from './parts.ts';

/** Machines behind one address may wait together, and each asks every 5 s. */
const POLL_RATE = { max: 600, timeWindow: 60_000 } as const;

const Begin = Type.Object({ machine: Machine }, closed);
const DeviceCode = Type.Object({
  deviceCode: Type.String(),
  userCode: Type.String(),
  verificationUri: Type.String(),
  verificationUriComplete: Type.String(),
  expiresAt: Type.Integer(),
  intervalMs: Type.Integer(),
});
const Poll = Type.Object({ deviceCode: Type.String({ minLength: 1, maxLength: 100 }) }, closed);
const Polled = Type.Union([
  Type.Object({
    state: Type.Union([Type.Literal('pending'), Type.Literal('slow_down')]),
    intervalMs: Type.Integer(),
  }),
  Type.Object({ state: Type.Union([Type.Literal('refused'), Type.Literal('expired')]) }),
  Type.Object({ state: Type.Literal('issued'), ...Redeemed.properties }),
]);
const UserCode = Type.String({ minLength: 1, maxLength: 40 });
const Verdict = Type.Union([Type.Literal('allow'), Type.Literal('refuse')]);
const PageQuery = Type.Object({ code: Type.Optional(UserCode), answered: Type.Optional(Verdict) });
const Answer = Type.Object({ code: UserCode, answer: Verdict }, closed);

/** Or why there is none. */
type FindDevice = (session: Session, code: string) => Promise<WaitingDevice | string>;

/** Sign-in of command lines on machines without a browser (RFC 8628), in the names of this API. */
export function serveDeviceSignIn(app: FastifyInstance, deviceCodes: DeviceCodes): void {
  const findDevice: FindDevice = (session, code) =>
    deviceCodes.find(session, code).catch((error: unknown) => {
      if (hasCode(error, 'not_found')) return error.message;
      throw error;
    });

  app.post<{ Body: Static<typeof Begin> }>(
    '/cli/device',
    { config: { permission: 'anyone', rateLimit: RATE }, schema: { body: Begin, response: { 200: DeviceCode } } },
    async (request) => {
      return deviceCodes.begin(request.body.machine, clientAddress(request.raw));
    },
  );

  app.post<{ Body: Static<typeof Poll> }>(
    '/cli/device/token',
    { config: { permission: 'anyone', rateLimit: POLL_RATE }, schema: { body: Poll, response: { 200: Polled } } },
    async (request): Promise<Static<typeof Polled>> => {
      const polled = await deviceCodes.poll(request.body.deviceCode);
      if (polled.state !== 'issued') return polled;
      const { token, expiresAt, session } = polled.token;
      return { state: 'issued', token, expiresAt, person: labelOf(session.principal) };
    },
  );

  app.get<{ Querystring: Static<typeof PageQuery> }>(
    '/cli/device',
    { config: { permission: 'signed-in', rateLimit: RATE }, schema: { querystring: PageQuery } },
    async (request, reply) => {
      const { code, answered } = request.query;
      if (answered !== undefined) return sendPage(reply, 200, answeredPage(answered));
      if (code === undefined) return sendPage(reply, 200, codePage());
      const { session } = personOf(request);
      const device = await findDevice(session, code);
      if (typeof device === 'string') return sendPage(reply, 404, codePage(device));
      const here = clientAddress(request.raw);
      return sendPage(reply, 200, confirmPage(device, labelOf(session.principal), here));
    },
  );

  app.post<{ Body: Static<typeof Answer> }>(
    '/cli/device/answer',
    {
      config: { permission: 'signed-in', by: ['browser'], rateLimit: RATE },
      schema: { body: Answer, response: { 200: Type.Object({ location: Type.String() }) } },
    },
    async (request) => {
      const { code, answer } = request.body;
      await deviceCodes.answer(personOf(request).session, code, answer);
      return { location: `/cli/device?answered=${answer}` };
    },
  );
}
