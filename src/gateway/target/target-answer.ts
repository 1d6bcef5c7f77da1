import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { errors } from 'undici';
import { hasCode } from '../../lib/errors.ts';
import { isAnonymous } from '../access/anonymous.ts';
import { lookInGap } from '../access/gap.ts';
import type { OpenRequest } from '../access/open-request.ts';
import { isSafeMethod } from '../access/origin-rule.ts';
import { breakOff, lingerAfter } from '../answer/exchange.ts';
import { BODY_TOO_LARGE, NO_AGENT, TARGET_TIMED_OUT, TARGET_UNREACHABLE } from '../answer/refusal.ts';
import { type Failure, REVOKED, terminatedRefusal } from '../answer/terminated.ts';
import { MAX_INTERIM_ANSWERS } from '../limits.ts';
import { addTrailers } from './answer-trailers.ts';
import { clientHeaders } from './client-headers.ts';
import { keepPrivate } from './private-answer.ts';
import { RequestBody } from './request-body.ts';
import { joinWebSocket } from './websocket-join.ts';

type Sent = 'settled' | 'again' | Failure;

/** One exchange with the target over the access's stream: sends the request, streams the answer to the client. */
export class TargetAnswer implements Dispatcher.DispatchHandler {
  readonly #access: OpenRequest;
  #resolved: ((sent: Sent) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  /** Nothing was written to the target before this. */
  #sending = false;
  /** The target has begun to answer. */
  #answered = false;
  #hasData = false;
  #interims = 0;
  #gapFailure: 'again' | Failure | undefined;

  constructor(access: OpenRequest) {
    this.#access = access;
  }

  /** `settled`: the client has its answer or is gone. `again`: nothing reached the target's app; a fresh stream may be tried. */
  send(headers: string[]): Promise<Sent> {
    const { head, stream, resource } = this.#access;
    return new Promise((resolve) => {
      this.#resolved = resolve;
      this.#access.stop = this.#stop;
      const body = head.hasBody ? new RequestBody(this.#access) : null;
      // RFC 9112 §3.2.1: the target gets the request target as it was received, which policy and record have read.
      stream.client?.dispatch(
        {
          path: head.target,
          method: head.method,
          headers,
          body,
          upgrade: head.websocket ?? null,
          headersTimeout: resource.timeouts.headersMs,
          bodyTimeout: resource.timeouts.idleMs,
          // undici would close after each HEAD, for targets that answer it with a body; one request at a time is safe.
          ...(head.method === 'HEAD' ? { reset: false } : {}),
        },
        this,
      );
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#access.ended || this.#access.terminated !== undefined) {
      controller.abort(new Error('The access has ended.'));
      return;
    }
    const verdict = lookInGap(this.#access);
    if (verdict === 'go') {
      this.#sending = true;
      return;
    }
    this.#gapFailure = verdict === 'revoked' ? REVOKED : 'again';
    controller.abort(new Error('What was decided no longer holds.'));
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, status: number, _headers: unknown, target: Duplex): void {
    this.#access.status = status;
    joinWebSocket(this.#access, this.#clientHeaders(controller), target);
    this.#settled();
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusMessage?: string,
  ): void {
    if (status < 200) return this.#interim(controller, status);
    this.#access.status = status;
    const { res } = this.#access.exchange;
    const headers = this.#clientHeaders(controller);
    if (!isAnonymous(this.#access.identity)) keepPrivate(headers);
    if (statusMessage === undefined || statusMessage === '') res.writeHead(status, headers);
    else res.writeHead(status, statusMessage, headers);
    // A body that follows at once shares a packet with the head; a silent one (server-sent events) must not delay it.
    process.nextTick(flushHead, this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const access = this.#access;
    const { res } = access.exchange;
    this.#hasData = true;
    access.bytesDown += chunk.length;
    if (res.write(chunk)) return;
    controller.pause();
    access.stalledSince = access.door.clock();
    res.once('drain', () => {
      access.stalledSince = 0;
      controller.resume();
    });
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const { exchange, door, stream } = this.#access;
    // undici takes a reset for the end of a body that ends by closing (RFC 9112 §8: it is incomplete).
    if (stream.wasReset) return this.onResponseError(controller, new Error('The target reset its connection.'));
    this.#hasData = true;
    addTrailers(this.#access, controller.rawTrailers);
    exchange.res.end();
    lingerAfter(exchange);
    this.#access.stop = undefined;
    // After undici has made up its mind whether the stream can be used again.
    process.nextTick(giveBack, door.pool, stream);
    this.#settled();
  }

  onResponseError(_controller: unknown, error: Error): void {
    const access = this.#access;
    if (this.#resolved === undefined) return;
    if (access.ended) return this.#cut();
    if (access.terminated !== undefined) {
      if (!access.exchange.res.headersSent) {
        return this.#resolve({ end: 'terminated', refusal: terminatedRefusal(access.terminated) });
      }
      access.finish('terminated');
      return this.#cut();
    }
    if (this.#gapFailure !== undefined) return this.#resolve(this.#gapFailure);
    const timedOut =
      error instanceof errors.HeadersTimeoutError ||
      error instanceof errors.BodyTimeoutError ||
      hasCode(error, 'timeout');
    if (access.bodyTooLarge && !access.exchange.res.headersSent) {
      return this.#resolve({ end: 'body_too_large', refusal: BODY_TOO_LARGE });
    }
    if (access.exchange.res.headersSent) {
      access.finish(timedOut ? 'timed_out' : 'target_closed');
      return this.#cut();
    }
    access.door.log?.info({ intent: access.recorded.id, error: error.message }, 'a target broke off');
    if (this.#mayRepeat()) return this.#resolve('again');
    // The agent's refusal of a stream arrives after the request was written to it, so it is seen here.
    if (timedOut) this.#resolve({ end: 'timed_out', refusal: TARGET_TIMED_OUT });
    else if (hasCode(error, 'tunnel_closed')) this.#resolve({ end: 'target_unreachable', refusal: NO_AGENT });
    else if (hasCode(error, 'target_unreachable') || !this.#sending) {
      this.#resolve({ end: 'target_unreachable', refusal: TARGET_UNREACHABLE });
    } else this.#resolve({ end: 'target_closed', refusal: TARGET_UNREACHABLE });
  }

  /** A reused stream may have been closed by the target just before: what it then lost can be sent again (RFC 9110 §9.2.2). */
  #mayRepeat(): boolean {
    const { head, stream } = this.#access;
    if (stream.ordinal === 1 || this.#answered) return false;
    return !this.#sending || (isSafeMethod(head.method) && !head.hasBody);
  }

  /** RFC 9110 §15.2: passed on, except to clients that do not know interim answers. */
  #interim(controller: Dispatcher.DispatchController, status: number): void {
    const { req, res } = this.#access.exchange;
    this.#interims += 1;
    if (req.httpVersion !== '1.1' || res.destroyed || this.#interims > MAX_INTERIM_ANSWERS) return;
    const headers = this.#clientHeaders(controller);
    const kept: string[] = [];
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const [name = '', value = ''] = [headers[at], headers[at + 1]];
      if (name.toLowerCase() !== 'content-length') kept.push(name, value);
    }
    res.writeInformation(status, kept);
  }

  #clientHeaders(controller: Dispatcher.DispatchController): string[] {
    const raw = controller.rawHeaders;
    return clientHeaders(Array.isArray(raw) ? raw : [], this.#access.door.isPosternCookie);
  }

  #cut(): void {
    const { exchange, door, stream } = this.#access;
    breakOff(exchange);
    door.pool.giveBack(stream, false);
    this.#settled();
  }

  #settled(): void {
    this.#resolve('settled');
  }

  #resolve(sent: Sent): void {
    const resolved = this.#resolved;
    this.#resolved = undefined;
    resolved?.(sent);
  }

  flushHead(): void {
    const { res } = this.#access.exchange;
    if (!this.#hasData && !res.destroyed) res.flushHeaders();
  }

  readonly #stop = (): void => {
    if (this.#controller === undefined) this.#access.stream.destroy();
    else this.#controller.abort(new Error('The access was stopped.'));
  };
}

function flushHead(answer: TargetAnswer): void {
  answer.flushHead();
}

function giveBack(pool: OpenRequest['door']['pool'], stream: OpenRequest['stream']): void {
  pool.giveBack(stream, true);
}
