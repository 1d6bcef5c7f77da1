import type { FastifyInstance } from 'fastify';
import type { Credentials } from '../../identity/agents/credentials.ts';
import type { Enrolling } from '../../identity/agents/enrollment.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode } from '../../lib/errors.ts';
import { callerOf } from '../caller.ts';
import { CredentialBody, EnrollBody, Enrolled, IssuedCredential } from '../contract/agents.ts';
import { problemOf, sendProblem } from '../problem.ts';

export interface DeviceRoutesDeps {
  readonly enrollment: Enrolling;
  readonly credentials: Credentials;
  readonly clock: Clock;
}

/** An agent renews inside its tunnel; these are for starts and reconnects, of many agents behind one address. */
const RATE = { max: 3_000, timeWindow: 60_000 };

const CREDENTIAL_REFUSED =
  'The relay does not accept this agent: it is not enrolled, was revoked, or its clock is wrong.';

/** What agents themselves ask for. */
export function serveDeviceRoutes(app: FastifyInstance, { enrollment, credentials, clock }: DeviceRoutesDeps): void {
  app.post(
    '/api/v1/agents/enroll',
    {
      config: {
        permission: 'anyone',
        rateLimit: RATE,
        summary: 'Bind an agent’s key to its name, once for each token',
      },
      schema: { body: EnrollBody, response: { 200: Enrolled } },
    },
    async (request) => {
      return enrollment.enroll(request.body, callerOf(request));
    },
  );

  app.post<{ Body: CredentialBody }>(
    '/api/v1/agents/credential',
    {
      config: { permission: 'anyone', rateLimit: RATE, summary: 'A device credential for an enrolled agent' },
      schema: { body: CredentialBody, response: { 200: IssuedCredential } },
    },
    async (request, reply) => {
      try {
        return await credentials.authenticate(request.body.assertion);
      } catch (error) {
        if (!hasCode(error, 'credential_refused')) throw error;
        request.log.debug({ reason: error.message }, 'an agent got no device credential');
        // One answer for whatever was wrong, so that nobody learns which agents exist. With the relay's time, so that
        // an agent with a wrong clock can say so.
        const problem = {
          ...problemOf({ code: error.code, message: CREDENTIAL_REFUSED }, request.id),
          now: clock(),
        };
        return sendProblem(reply, problem);
      }
    },
  );
}
