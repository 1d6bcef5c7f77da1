import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, request } from 'node:http';
import { it } from 'node:test';
import { asAlice, createWorld, HOST } from './world.ts';

const CHUNK = Buffer.alloc(256 * 1024);
const DOWN_BYTES = 1024 * 1024 * 1024;
const UP_BYTES = 512 * 1024 * 1024;
/** Client, relay, agent and target are all in this process; garbage waits for its collection. */
const MOST_GROWTH_BYTES = 192 * 1024 * 1024;

function zeros(sink: NodeJS.WritableStream, total: number): void {
  let left = total;
  const more = () => {
    while (left > 0) {
      left -= CHUNK.length;
      if (!sink.write(CHUNK)) return void sink.once('drain', more);
    }
    sink.end();
  };
  more();
}

async function countBytes(stream: NodeJS.ReadableStream): Promise<number> {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(stream, 'end');
  return bytes;
}

/** The most that resident memory grew over the warmed-up state while `work` ran. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(sampling);
  }
  return most - before;
}

const target: RequestListener = (req, res) => {
  if (req.method === 'GET') zeros(res, Number(req.url?.slice(1)));
  else void countBytes(req).then((bytes) => res.end(String(bytes)));
};

it('bodies of any size pass both ways in the same little memory', { timeout: 240_000 }, async () => {
  await using world = await createWorld(target);
  const headers = { Host: HOST, ...asAlice, Origin: world.origin };

  const download = async (bytes: number) => {
    const sent = request({ port: world.port, path: `/${bytes}`, agent: false, headers }).end();
    const [res] = (await once(sent, 'response')) as [IncomingMessage];
    assert.equal(await countBytes(res), bytes);
  };
  const upload = async (bytes: number) => {
    const sent = request({ port: world.port, method: 'PUT', agent: false, headers });
    zeros(sent, bytes);
    const [res] = (await once(sent, 'response')) as [IncomingMessage];
    assert.equal(await res.setEncoding('utf8').reduce((all: string, part: string) => all + part, ''), String(bytes));
  };

  await download(DOWN_BYTES / 16);
  await upload(UP_BYTES / 16);
  for (const [name, work] of [
    ['download', () => download(DOWN_BYTES)],
    ['upload', () => upload(UP_BYTES)],
  ] as const) {
    const growth = await growthDuring(work);
    assert.ok(growth < MOST_GROWTH_BYTES, `${name}: memory grew by ${Math.round(growth / 2 ** 20)} MB`);
  }
  assert.equal((await world.audit.outcomeOf(2)).bytesDown, DOWN_BYTES);
  assert.equal((await world.audit.outcomeOf(3)).bytesUp, UP_BYTES);
});
