import { connect } from 'node:net';
import { BenchError, type Setup } from '../setup.ts';

/** A download that takes longer than this is broken, not slow. */
const LIMIT_MS = 120_000;
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Downloads `bytes` once and gives MB/s (10⁶ bytes). A bare socket that counts into one reused buffer, so that the
 * client costs next to nothing.
 */
export function measureDownload(setup: Setup, bytes: number, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let head: Buffer | undefined = Buffer.alloc(0);
  let left = bytes;
  const startedAt = performance.now();
  const finish = (error?: Error) => {
    clearTimeout(timer);
    signal.removeEventListener('abort', aborted);
    socket.destroy();
    if (error) reject(error);
    else resolve(bytes / 1e3 / (performance.now() - startedAt));
  };
  const buffer = Buffer.allocUnsafe(256 * 1024);
  const socket = connect({
    port: setup.port,
    host: '127.0.0.1',
    onread: {
      buffer,
      callback: (length) => {
        if (head) {
          head = Buffer.concat([head, buffer.subarray(0, length)]);
          const end = head.indexOf(HEAD_END);
          if (end === -1) return true;
          const problem = refuseHead(head.subarray(0, end).toString('latin1'), bytes);
          if (problem) finish(new BenchError(`${setup.name}: ${problem}`));
          left -= head.length - end - HEAD_END.length;
          head = undefined;
        } else left -= length;
        if (left === 0) finish();
        return true;
      },
    },
  });
  const timer = setTimeout(
    () => finish(new BenchError(`${setup.name}: a download stalled, ${left} bytes missing`)),
    LIMIT_MS,
  );
  const aborted = () => finish(new BenchError('interrupted'));
  signal.addEventListener('abort', aborted, { once: true });
  socket.on('error', (error) => finish(new BenchError(`${setup.name}: a download failed: ${error.message}`)));
  socket.on('close', () => finish(new BenchError(`${setup.name}: a download ended ${left} bytes early`)));
  const headers = { Host: `127.0.0.1:${setup.port}`, ...setup.headers, Connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET /download?bytes=${bytes} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return promise;
}

function refuseHead(head: string, bytes: number): string | undefined {
  if (!head.startsWith('HTTP/1.1 200 ')) return `a download was answered with\n${head}`;
  const length = /^content-length: *(\d+)\r?$/im.exec(head)?.[1];
  return length === String(bytes) ? undefined : `a download of ${bytes} bytes came with Content-Length ${length}`;
}
