import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { answerFields } from './answer-fields.ts';
import { localOrigin } from './local-request.ts';
import { hasBody, isTokenField } from './request-fields.ts';

/** The request's body and trailers, as they come. */
export function sendBody(req: IncomingMessage, asked: ClientRequest): void {
  if (!hasBody(req)) {
    asked.end();
    return;
  }
  // The header section leaves now: the answer may come before the body. (flushHeaders would write it as UTF-8.)
  asked.write(Buffer.alloc(0));
  req.pipe(asked, { end: false });
  req.once('end', () => {
    const trailers = pairs(req.rawTrailers).filter(([name]) => !isTokenField(name.toLowerCase()));
    if (trailers.length > 0) asked.addTrailers(trailers);
    asked.end();
  });
  // Answered before all of it was sent: the client must be able to finish before it reads.
  asked.once('close', () => {
    req.unpipe(asked);
    req.resume();
  });
}

/** What comes before the answer (RFC 9110 §15.2): go on, early hints, progress. */
export function passInformation(asked: ClientRequest, res: ServerResponse): void {
  asked.on('continue', () => res.writeContinue());
  asked.on('information', ({ statusCode, rawHeaders }) => {
    if (statusCode === 100 || res.headersSent || typeof res.writeInformation !== 'function') return;
    res.writeInformation(statusCode, Object.fromEntries(pairs(rawHeaders)));
  });
}

/** The answer with its body and trailers. One that breaks off is broken for the client too, never a clean short one. */
export function passAnswer(req: IncomingMessage, answer: IncomingMessage, res: ServerResponse, origin: string): void {
  const places = { origin, local: localOrigin(req) };
  const mayTrail = req.httpVersion === '1.1' && answer.headers['transfer-encoding'] !== undefined;
  const fields = answerFields(answer, places).filter(
    (name, at, all) => mayTrail || (at % 2 === 0 ? name : (all[at - 1] ?? '')).toLowerCase() !== 'trailer',
  );
  res.sendDate = false;
  res.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', fields);
  answer.pipe(res, { end: false });
  answer.once('end', () => {
    if (mayTrail && answer.rawTrailers.length > 0) res.addTrailers(pairs(answer.rawTrailers));
    res.end();
  });
  answer.once('error', () => res.destroy());
  answer.once('close', () => {
    if (!answer.complete) res.destroy();
  });
}

/** An answer of the listener itself: what happened and what to do, for whoever reads what the program received. */
export function answerText(res: ServerResponse, status: number, text: string): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  res.shouldKeepAlive = false;
  const body = `postern: ${text}\n`;
  res.writeHead(status, [
    ...['Content-Type', 'text/plain; charset=utf-8', 'Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff'],
    ...['Content-Length', String(Buffer.byteLength(body))],
  ]);
  res.end(body);
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] as [string, string]] : []));
}
