import fastifyCookie from '@fastify/cookie';
import fastifyHelmet from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import { clientAddress } from '../lib/client-address.ts';
import { PosternError } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import { clientNetwork } from '../lib/networks.ts';
import { SparingLog } from '../lib/sparing-log.ts';
import { errorAnswer } from './answer-error.ts';
import { serveAccesses } from './api/accesses.ts';
import { serveAudit } from './api/audit.ts';
import { serveCheckpoint } from './api/checkpoint.ts';
import { serveConfiguration } from './api/configuration.ts';
import { serveMe } from './api/me.ts';
import { servePolicy } from './api/policy.ts';
import { serveResources } from './api/resources.ts';
import { serveConsole } from './console.ts';
import { serveOpenApi } from './openapi.ts';
import { servePageParts } from './page.ts';
import { enforcePermissions } from './permission.ts';
import type { ControlDeps } from './ports.ts';
import { helmetOptions } from './security-headers.ts';
import { useTypeBox } from './validation.ts';

/** A request whose head and body did not arrive by then is answered 408 and closed. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A socket without traffic for this long is closed. */
const CONNECTION_TIMEOUT_MS = 60_000;
/** A route that has not answered by then is answered for with 503. */
const HANDLER_TIMEOUT_MS = 30_000;
/** The API takes small JSON only; more is 413. */
const BODY_LIMIT_BYTES = 64 * 1024;
/** Per client address (IPv6: per /64); beyond it 429. Generous, since an office can share one address. */
const REQUESTS_PER_MINUTE = 1200;
/** Longer than any address that the relay takes: what is too long for a parameter is its schema's to refuse. */
const MAX_PARAM_LENGTH = 64 * 1024;
/** Where no route is. What has no reading goes there, and so through every hook: headers, rate, log. */
const UNREADABLE = '/.unreadable';
/** Addresses whose count is kept; beyond it the least recent is forgotten. */
const COUNTED_ADDRESSES = 10_000;

/** The relay's own host: sign-in and API routes (`plugins`), the console and its API. Ready to take requests. */
export async function createControl(deps: ControlDeps): Promise<FastifyInstance> {
  const log = deps.log.child({ part: 'control' });
  const strangers = new SparingLog(log);
  const answerError = errorAnswer(deps.origin, strangers);
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => sortableId(),
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    bodyLimit: BODY_LIMIT_BYTES,
    handlerTimeout: HANDLER_TIMEOUT_MS,
    // Otherwise `//evil` and `/API` would reach routes by second names.
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true, maxParamLength: MAX_PARAM_LENGTH },
    rewriteUrl: ({ url = '/' }) => (isReadable(url) ? url : UNREADABLE),
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply);
    },
  });
  app.addHook('onClose', () => strangers.sumUp());
  // An answer is for one person at one moment. What may be kept says so itself.
  app.addHook('onRequest', (_request, reply, next) => {
    reply.header('cache-control', 'no-store');
    next();
  });
  useTypeBox(app);
  // JSON alone: what a page elsewhere can send without asking first has no way in.
  app.removeContentTypeParser('text/plain');
  await app.register(fastifyHelmet, helmetOptions(deps.origin));
  await app.register(fastifyCookie);
  await app.register(fastifyRateLimit, {
    max: deps.requestsPerMinute ?? REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    cache: COUNTED_ADDRESSES,
    keyGenerator: (request) => clientNetwork(clientAddress(request.raw)),
    addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    addHeadersOnExceeding: {
      'x-ratelimit-limit': false,
      'x-ratelimit-remaining': false,
      'x-ratelimit-reset': false,
    },
  });
  enforcePermissions(app, deps.people, deps.origin);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, ({ url }) => {
    if (url === UNREADABLE) throw new PosternError('request_invalid', 'The address of this request cannot be read.');
    throw new PosternError('not_found', 'There is nothing at this address.');
  });

  serveOpenApi(app);
  servePageParts(app);
  serveMe(app, deps);
  serveResources(app, deps);
  serveAudit(app, deps);
  serveCheckpoint(app, deps);
  servePolicy(app, deps);
  serveConfiguration(app, deps);
  serveAccesses(app, deps);
  await serveConsole(app, deps.consoleDirectory);
  for (const plugin of deps.plugins) await app.register(plugin);
  await app.ready();
  return app;
}

function isReadable(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
}
