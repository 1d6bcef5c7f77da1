import { connect } from 'node:net';
import { BenchError } from '../setup.ts';

/** A stream that takes longer than this is broken, not slow. */
const LIMIT_MS = 120_000;

/** Reads `bytes` from the port, then hangs up; gives MB/s (10⁶ bytes). */
export function receive(port: number, bytes: number, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const startedAt = performance.now();
  let left = bytes;
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.allocUnsafe(256 * 1024),
      callback: (length) => {
        left -= length;
        if (left <= 0) finish();
        return true;
      },
    },
  });
  const finish = (error?: Error) => {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupted);
    socket.destroy();
    if (error) reject(error);
    else resolve(bytes / 1e3 / (performance.now() - startedAt));
  };
  const timer = setTimeout(() => finish(new BenchError(`A stream stalled, ${left} bytes missing.`)), LIMIT_MS);
  const interrupted = () => finish(new BenchError('interrupted'));
  signal.addEventListener('abort', interrupted, { once: true });
  socket.on('error', (error) => finish(new BenchError(`A stream failed: ${error.message}`)));
  socket.on('close', () => finish(new BenchError(`A stream ended ${left} bytes early.`)));
  return promise;
}
