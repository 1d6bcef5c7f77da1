import type { OpenRequest } from '../access/open-request.ts';
import type { TargetConnection } from './http/target-connection.ts';

/** The client's body on its way to the target, with back-pressure and counted. */
export class RequestBody {
  readonly #access: OpenRequest;
  readonly #connection: TargetConnection;

  constructor(access: OpenRequest, connection: TargetConnection) {
    this.#access = access;
    this.#connection = connection;
  }

  /** Asks the client for it, where the client waits to be asked. */
  start(): void {
    const { exchange, head, door } = this.#access;
    const { req, res } = exchange;
    if (head.expectsContinue && !res.headersSent) res.writeContinue();
    this.#access.stalledSince = door.elapsed();
    req.on('data', this.#onData);
    req.on('end', this.#onEnd);
    // What broke off is told by the end of the response: it closes with the client's connection.
    req.on('error', ignore);
    req.resume();
  }

  /** The target takes more. */
  drained(): void {
    const { req } = this.#access.exchange;
    if (!req.isPaused()) return;
    this.#access.stalledSince = this.#access.door.elapsed();
    req.resume();
  }

  /** What still comes is not for the target any more. */
  stop(): void {
    const { req } = this.#access.exchange;
    req.off('data', this.#onData);
    req.off('end', this.#onEnd);
    this.#access.stalledSince = 0;
  }

  readonly #onData = (chunk: Buffer): void => {
    const access = this.#access;
    access.bytesUp += chunk.length;
    const { bodyLimitBytes } = access.resource;
    if (bodyLimitBytes !== undefined && access.bytesUp > bodyLimitBytes) {
      access.bodyTooLarge = true;
      this.#connection.fail(new Error('The body is larger than the resource takes.'));
    } else if (this.#connection.sendBody(chunk)) {
      access.stalledSince = access.door.elapsed();
    } else {
      access.stalledSince = 0;
      access.exchange.req.pause();
    }
  };

  readonly #onEnd = (): void => {
    this.#access.stalledSince = 0;
    this.#connection.endBody();
  };
}

function ignore(): void {}
