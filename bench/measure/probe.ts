import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { BenchError, type Setup } from '../setup.ts';
import { DOWNLOAD_CHUNK, SMALL_BODY } from '../setups/target-bodies.ts';
import { renderPage } from '../setups/target-page.ts';

const LIMIT_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One request on its own connection. */
export function ask(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = request(
    {
      host: '127.0.0.1',
      port,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
      agent: false,
      signal: AbortSignal.timeout(LIMIT_MS),
    },
    (response) => {
      buffer(response).then(
        (bytes) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: bytes }),
        reject,
      );
    },
  );
  call.on('error', reject);
  call.end(body);
  return promise;
}

/** Throws unless the setup gives the target's own bytes, small and large. */
export async function probe(setup: Setup): Promise<void> {
  for (const [path, expected] of [
    ['/bench', SMALL_BODY],
    ['/page', renderPage()],
    [`/download?bytes=${4 * DOWNLOAD_CHUNK.length}`, Buffer.concat(Array.from({ length: 4 }, () => DOWNLOAD_CHUNK))],
  ] as const) {
    const answer = await ask(setup.port, path, setup.headers);
    if (answer.status === 200 && answer.body.equals(expected)) continue;
    const seen = answer.body.subarray(0, 300).toString('latin1');
    throw new BenchError(`${setup.name} answered ${path} with ${answer.status}, ${answer.body.length} bytes: ${seen}`);
  }
}
