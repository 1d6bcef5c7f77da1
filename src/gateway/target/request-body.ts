import { Readable } from 'node:stream';
import type { OpenRequest } from '../access/open-request.ts';

/**
 * The client's body on its way to the target, with back-pressure and counted. A stream of its own, since undici
 * destroys the body it is given, and that must not cut the client's connection. Touches the request only once read.
 */
export class RequestBody extends Readable {
  readonly #access: OpenRequest;
  #attached = false;

  constructor(access: OpenRequest) {
    super({ autoDestroy: true });
    this.#access = access;
  }

  override _read(): void {
    const { req, res } = this.#access.exchange;
    if (!this.#attached) {
      this.#attached = true;
      if (this.#access.head.expectsContinue && !res.headersSent) res.writeContinue();
      req.on('data', this.#onData);
      req.on('end', this.#onEnd);
      req.on('error', this.#onError);
      req.on('aborted', this.#onError);
    }
    this.#access.stalledSince = this.#access.door.clock();
    req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const { req } = this.#access.exchange;
    req.off('data', this.#onData);
    req.off('end', this.#onEnd);
    this.#access.stalledSince = 0;
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#access.bytesUp += chunk.length;
    const { bodyLimitBytes } = this.#access.resource;
    if (bodyLimitBytes !== undefined && this.#access.bytesUp > bodyLimitBytes) {
      this.#access.bodyTooLarge = true;
      this.destroy(new Error('The body is larger than the resource takes.'));
      return;
    }
    if (this.push(chunk)) {
      this.#access.stalledSince = this.#access.door.clock();
    } else {
      this.#access.stalledSince = 0;
      this.#access.exchange.req.pause();
    }
  };

  readonly #onEnd = (): void => {
    this.#access.stalledSince = 0;
    this.push(null);
  };

  readonly #onError = (): void => {
    this.destroy(new Error('The client broke off its request.'));
  };
}
