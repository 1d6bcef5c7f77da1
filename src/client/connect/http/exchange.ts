import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, messageOf, PosternError } from '../../../lib/errors.ts';
import type { HttpProxy } from '../../../lib/http-proxy.ts';
import type { Secret } from '../../../lib/secret.ts';
import { joinUpgrade, type Upgrade } from './join-upgrade.ts';
import { refusalOf } from './local-request.ts';
import { answerText, passAnswer, passInformation, sendBody } from './pass.ts';
import { hasBody, requestFields } from './request-fields.ts';
import type { WayToResource } from './way.ts';

export interface ServingHttp {
  /** Of the resource. */
  readonly origin: string;
  readonly token: TokenSource;
  readonly proxy?: HttpProxy | undefined;
  readonly signal: AbortSignal;
  /** Told of each request that was not passed on, or broke. */
  readonly failed: (error: unknown) => void;
}

export interface TokenSource {
  /** May wait for a sign-in. Rejects with what stands in the way. */
  current(): Promise<Secret>;
  /** The relay does not take this one any more. */
  refused(token: Secret): void;
}

export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly upgrade?: Upgrade;
}

/** Sends one request to the resource as the person, and its answer back. */
export async function passRequest(exchange: Exchange, serving: ServingHttp, way: WayToResource): Promise<void> {
  const { req, res } = exchange;
  const foreign = refusalOf(req);
  if (foreign !== undefined) return answerText(res, 403, foreign);
  const unreadable = unreadableOf(req);
  if (unreadable !== undefined) return answerText(res, 400, unreadable);
  await forward(exchange, serving, way, isRepeatable(req));
}

/** `mayRepeat`: with another token, or on another connection, should the first be gone. */
async function forward(
  exchange: Exchange,
  serving: ServingHttp,
  way: WayToResource,
  mayRepeat: boolean,
): Promise<void> {
  const { res } = exchange;
  let token: Secret;
  try {
    token = await serving.token.current();
  } catch (error) {
    serving.failed(error);
    return answerText(res, statusOf(error), messageOf(error));
  }
  if (!res.destroyed) send(exchange, serving, way, token, mayRepeat);
}

function send(exchange: Exchange, serving: ServingHttp, way: WayToResource, token: Secret, mayRepeat: boolean): void {
  const { req, res, upgrade } = exchange;
  const { origin, failed } = serving;
  let asked: ClientRequest;
  try {
    asked = way.request(req, requestFields(req, { origin, token }), !mayRepeat || upgrade !== undefined);
  } catch (error) {
    return answerText(res, 400, messageOf(error));
  }
  let answered = false;
  const leave = () => {
    if (!res.writableFinished) asked.destroy();
  };
  res.once('close', leave);
  passInformation(asked, res);
  asked.once('response', (answer) => {
    answered = true;
    if (!isRelaysOwn401(answer)) return passAnswer(req, answer, res, origin);
    serving.token.refused(token);
    if (!mayRepeat) return passAnswer(req, answer, res, origin);
    res.off('close', leave);
    answer.resume();
    void forward(exchange, serving, way, false);
  });
  asked.once('upgrade', (answer: IncomingMessage, theirs: Socket, head: Buffer) => {
    answered = true;
    res.off('close', leave);
    if (upgrade) joinUpgrade(upgrade, res, answer, theirs, head);
    else theirs.destroy();
  });
  asked.on('error', (error) => {
    if (answered || res.destroyed) return;
    res.off('close', leave);
    if (mayRepeat && asked.reusedSocket) return send(exchange, serving, way, token, false);
    failed(error);
    answerText(res, statusOf(error), messageOf(error));
  });
  sendBody(req, asked);
}

/** What could be read in two ways, and a request that belongs to a proxy. */
function unreadableOf({ url = '', headers, method }: IncomingMessage): string | undefined {
  if (!url.startsWith('/') && !(method === 'OPTIONS' && url === '*')) return 'This is not a proxy for other addresses.';
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return `The transfer coding ${coding} is not known.`;
  return undefined;
}

function isRepeatable(req: IncomingMessage): boolean {
  return (req.method === 'GET' || req.method === 'HEAD' || req.method === 'OPTIONS') && !hasBody(req);
}

/** An app's own has another challenge. */
function isRelaysOwn401({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 401 && headers['www-authenticate'] === 'Bearer realm="postern"';
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  timeout: 504,
};

function statusOf(error: unknown): number {
  return (error instanceof PosternError ? STATUS[error.code] : undefined) ?? 502;
}
