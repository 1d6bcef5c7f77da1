import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { PosternError } from '../../lib/errors.ts';
import { whyBroken } from '../tunnel/broken.ts';

const STDOUT = 1;

/** After a hang-up, for the other end to end as well. */
const HANG_UP_MS = 1000;

/**
 * Standard input and output lead through the stream, each direction to its own end. Resolves when both have ended, or
 * whoever started us hung up, as ssh does with its ProxyCommand; rejects with what broke the stream, and with `aborted`
 * when told to stop or nobody reads standard output any more.
 */
export async function carryStdio(stream: Duplex, signal: AbortSignal): Promise<void> {
  const output = standardOutput();
  let hungUp = false;
  const stop = (why: string) => {
    if (!hungUp) stream.destroy(new PosternError('aborted', why));
  };
  output.on('error', () => stop('Nobody reads standard output any more.'));
  signal.addEventListener('abort', () => stop('Stopped.'), { once: true });
  process.stdin.on('error', (error) => stream.destroy(error));
  process.stdin.pipe(stream);
  stream.pipe(output);
  process.once('SIGHUP', () => {
    hungUp = true;
    process.stdin.unpipe(stream);
    stream.unpipe(output).resume().end();
    setTimeout(() => stream.destroy(), HANG_UP_MS).unref();
  });
  try {
    await finished(stream);
    if (output !== process.stdout && !output.writableFinished && !hungUp) await finished(output);
  } catch (error) {
    if (!hungUp) throw await whyBroken(stream, error);
  } finally {
    process.stdin.destroy();
  }
}

/** One whose end the reader sees at once: `process.stdout` ends with the process only. */
function standardOutput(): Writable {
  let output: Socket;
  try {
    output = new Socket({ fd: STDOUT, readable: false, writable: true });
  } catch {
    // A file or a terminal, where an end means nothing.
    return process.stdout;
  }
  // Node leaves the descriptors of standard streams open.
  return output.once('close', () => closeSync(STDOUT));
}
