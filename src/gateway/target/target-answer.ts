import type { Duplex } from 'node:stream';
import { hasCode } from '../../lib/errors.ts';
import { release } from '../../tunnel/read-memory.ts';
import { isAnonymous } from '../access/anonymous.ts';
import type { OpenRequest } from '../access/open-request.ts';
import { isSafeMethod } from '../access/origin-rule.ts';
import { leaveWithOthers } from '../answer/departures.ts';
import { breakOff, lingerAfter } from '../answer/exchange.ts';
import { BODY_TOO_LARGE, NO_AGENT, TARGET_TIMED_OUT, TARGET_UNREACHABLE } from '../answer/refusal.ts';
import { type Failure, terminatedFailure } from '../answer/terminated.ts';
import { MAX_INTERIM_ANSWERS } from '../limits.ts';
import { addTrailers } from './answer-trailers.ts';
import { clientHeaders } from './client-headers.ts';
import type { AnswerHead } from './http/answer-head.ts';
import { encodeRequestHead } from './http/request-head.ts';
import type { Asker, TargetConnection } from './http/target-connection.ts';
import { keepPrivate } from './private-answer.ts';
import { RequestBody } from './request-body.ts';
import { joinWebSocket } from './websocket-join.ts';

type Sent = 'settled' | 'again' | Failure;

/** Bodies up to this leave in one piece with their head. */
const SHORT_BODY_BYTES = 4 * 1024;

/** One exchange with the target over the access's stream: sends the request, passes the answer on to the client. */
export class TargetAnswer implements Asker {
  readonly #access: OpenRequest;
  readonly #connection: TargetConnection;
  readonly #body: RequestBody | undefined;
  #resolved: ((sent: Sent) => void) | undefined;
  /** Some of the request was written. */
  #isSent = false;
  #interims = 0;
  #upgradeHeaders: string[] | undefined;
  /** Of the answer, what came in one read leaves together, and only when all of it is sound: until then a 502 can take its place. */
  #heldHead: (() => void) | undefined;
  readonly #held: Buffer[] = [];

  constructor(access: OpenRequest, connection: TargetConnection) {
    this.#access = access;
    this.#connection = connection;
    this.#body = access.head.hasBody ? new RequestBody(access, connection) : undefined;
  }

  /** `settled`: the client has its answer or is gone. `again`: nothing reached the target's app; a fresh stream may be tried. */
  send(headers: string[]): Promise<Sent> {
    const { head, resource } = this.#access;
    const { method, target, websocket } = head;
    const body = !head.hasBody ? 'none' : head.contentLength === undefined ? 'chunked' : 'length';
    return new Promise((resolve) => {
      this.#resolved = resolve;
      this.#access.stop = this.#stop;
      const question = {
        head: encodeRequestHead({ method, target, upgrade: websocket, body }, headers),
        method,
        body,
        upgrade: websocket !== undefined,
        headersMs: resource.timeouts.headersMs,
        idleMs: resource.timeouts.idleMs,
      } as const;
      this.#isSent = this.#connection.ask(question, this);
      if (this.#isSent) this.#body?.start();
      else this.failed(this.#connection.error);
    });
  }

  get clientIsDue(): boolean {
    return this.#access.stalledSince !== 0;
  }

  /** RFC 9110 §15.2: passed on, except to clients that do not know interim answers. The relay itself says 100. */
  interim(head: AnswerHead): void {
    const { req, res } = this.#access.exchange;
    this.#interims += 1;
    if (head.status === 100 || req.httpVersion !== '1.1' || res.destroyed) return;
    if (this.#interims > MAX_INTERIM_ANSWERS) return;
    res.writeInformation(head.status, withoutLength(this.#clientHeaders(head)));
  }

  head(head: AnswerHead): void {
    const access = this.#access;
    access.status = head.status;
    const all = this.#clientHeaders(head);
    const headers = head.status === 204 ? withoutLength(all) : all;
    if (head.status === 101) {
      this.#upgradeHeaders = headers;
      return;
    }
    if (!isAnonymous(access.identity)) keepPrivate(headers);
    const { res } = access.exchange;
    this.#heldHead = () => {
      if (head.reason === '') res.writeHead(head.status, headers);
      else res.writeHead(head.status, head.reason, headers);
    };
  }

  data(data: Buffer): void {
    this.#held.push(data);
  }

  caughtUp(): void {
    const isHead = this.#writeHead();
    // A silent body (server-sent events) must not delay its head.
    if (isHead && this.#held.length === 0) this.#access.exchange.res.flushHeaders();
    let more = true;
    for (const data of this.#held) more = this.#write(data);
    this.#held.length = 0;
    if (!more) this.#waitForDrain();
  }

  drained(): void {
    this.#body?.drained();
  }

  ended(trailers: readonly string[], reusable: boolean): void {
    const access = this.#access;
    const { exchange, door, stream } = access;
    const { res } = exchange;
    this.#body?.stop();
    const isHead = this.#writeHead();
    addTrailers(access, trailers);
    const last = this.#held.pop();
    for (const data of this.#held) this.#write(data);
    access.bytesDown += last?.length ?? 0;
    if (last === undefined) res.end();
    // As text it shares one write with the head; as bytes they would be two parts of one.
    else if (isHead && this.#held.length === 0 && last.length <= SHORT_BODY_BYTES) {
      const text = last.toString('latin1');
      leaveWithOthers(() => res.end(text, 'latin1'));
    } else res.end(last);
    lingerAfter(exchange);
    this.#waitForClient();
    door.pool.giveBack(stream, reusable);
    this.#resolve('settled');
  }

  switched(target: Duplex, rest: Buffer | undefined): void {
    joinWebSocket(this.#access, this.#upgradeHeaders ?? [], target, rest);
    this.#resolve('settled');
  }

  failed(error: Error): void {
    const access = this.#access;
    this.#body?.stop();
    if (access.ended) return this.#cut();
    if (access.terminated !== undefined) {
      if (!access.exchange.res.headersSent) {
        return this.#resolve(terminatedFailure(access.terminated));
      }
      access.finish('terminated');
      return this.#cut();
    }
    const timedOut = hasCode(error, 'timeout');
    if (access.exchange.res.headersSent) {
      access.finish(access.bodyTooLarge ? 'body_too_large' : timedOut ? 'timed_out' : 'target_closed');
      return this.#cut();
    }
    if (access.bodyTooLarge) return this.#resolve({ end: 'body_too_large', refusal: BODY_TOO_LARGE });
    access.door.log?.info({ intent: access.recorded.id, error: error.message }, 'a target broke off');
    if (this.#mayRepeat()) return this.#resolve('again');
    // The agent's refusal of a stream arrives after the request was written to it, so it is seen here.
    if (timedOut) this.#resolve({ end: 'timed_out', refusal: TARGET_TIMED_OUT });
    else if (hasCode(error, 'tunnel_closed')) this.#resolve({ end: 'target_unreachable', refusal: NO_AGENT });
    else if (hasCode(error, 'target_unreachable') || !this.#isSent) {
      this.#resolve({ end: 'target_unreachable', refusal: TARGET_UNREACHABLE });
    } else this.#resolve({ end: 'target_closed', refusal: TARGET_UNREACHABLE });
  }

  /** A reused stream may have been closed by the target just before: what it then lost can be sent again (RFC 9110 §9.2.2). */
  #mayRepeat(): boolean {
    const { head, stream } = this.#access;
    if (stream.ordinal === 1 || this.#connection.answered) return false;
    return !this.#isSent || (isSafeMethod(head.method) && !head.hasBody);
  }

  /** False: it has left. */
  #writeHead(): boolean {
    const write = this.#heldHead;
    this.#heldHead = undefined;
    write?.();
    return write !== undefined;
  }

  /** False: the client is not so fast. */
  #write(data: Buffer): boolean {
    this.#access.bytesDown += data.length;
    return this.#access.exchange.res.write(data, (error) => {
      if (!error) release(data);
    });
  }

  #waitForDrain(): void {
    const access = this.#access;
    this.#connection.pause();
    access.stalledSince = access.door.elapsed();
    access.exchange.res.once('drain', this.#onDrain);
  }

  /** The answer is whole; what of it is not read yet still waits here, and ends with the authority or the client's time. */
  #waitForClient(): void {
    const access = this.#access;
    const { exchange, door } = access;
    access.stop = () => {
      access.finish('terminated');
      breakOff(exchange);
    };
    const begin = () => {
      access.stalledSince = door.elapsed();
    };
    // Behind an earlier answer on its connection it is not the client's turn.
    if (exchange.res.socket === null) exchange.res.once('socket', begin);
    else begin();
  }

  readonly #onDrain = (): void => {
    if (this.#resolved === undefined) return;
    this.#access.stalledSince = 0;
    this.#connection.resume();
  };

  #clientHeaders({ fields }: AnswerHead): string[] {
    return clientHeaders(fields, this.#access.door.isPosternCookie);
  }

  #cut(): void {
    const { exchange, door, stream } = this.#access;
    breakOff(exchange);
    door.pool.giveBack(stream, false);
    this.#resolve('settled');
  }

  #resolve(sent: Sent): void {
    const resolved = this.#resolved;
    this.#resolved = undefined;
    resolved?.(sent);
  }

  readonly #stop = (): void => this.#connection.fail(new Error('The access was stopped.'));
}

/** RFC 9110 §8.6: of what has no body, none. */
function withoutLength(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (name.toLowerCase() !== 'content-length') kept.push(name, value);
  }
  return kept;
}
