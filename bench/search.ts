// How long appends to the embedded database take while a large log is searched. With --dir the log is kept, and used again.
import { parseArgs } from 'node:util';
import { type AuditLog, openLog } from '../src/audit/open-log.ts';
import { parseAuditQuery } from '../src/audit/query.ts';
import type { AccessIntent } from '../src/domain/audit-event.ts';
import { sortableId } from '../src/lib/id.ts';
import { createLog } from '../src/lib/log.ts';
import { AuditLogTable } from '../src/store/audit-log.ts';
import { searchAudit } from '../src/store/audit-search.ts';
import { openStore, type Store } from '../src/store/open.ts';
import { wholeNumber } from './options.ts';
import { temporaryDirectory } from './place.ts';
import { runProgram } from './program.ts';

const WRITERS = 8;
const IN_HAND = 4_096;
/** Queries that find nothing, so that each looks at the whole log. */
const QUERIES = {
  'a word': 'no-such-word',
  'a person': 'who:nobody@example.com',
  'how it ended': 'end:failed',
};

await runProgram('npm run bench:search -- [--records 1000000] [--seconds 10] [--dir DIR]', async (signal) => {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '10' },
      dir: { type: 'string' },
    },
  });
  const records = wholeNumber('--records', values.records);
  const seconds = wholeNumber('--seconds', values.seconds);
  await using stack = new AsyncDisposableStack();
  await search(values.dir ?? (await temporaryDirectory(stack, 'search')), records, seconds, signal);
});

async function search(dataDir: string, records: number, seconds: number, signal: AbortSignal): Promise<void> {
  const log = createLog('warn');
  await using store = await openStore({ dataDir, log, commitTimeoutMs: 30_000 });
  await using audit = await openLog(new AuditLogTable(store), 'bench', log);
  await fill(audit, records, signal);
  print('writers alone', await measure(audit, seconds, signal), seconds);
  for (const [name, query] of Object.entries(QUERIES)) {
    const stop = new AbortController();
    const [latencies, searched] = await Promise.all([
      measure(audit, seconds, signal).finally(() => stop.abort()),
      searchUntil(store, query, stop.signal),
    ]);
    print(`searching for ${name}`, latencies, seconds, searched);
  }
  print('writers alone again', await measure(audit, seconds, signal), seconds);
  process.stdout.write(`resident memory ${Math.round(process.memoryUsage.rss() / 1e6)} MB\n`);
}

async function fill(audit: AuditLog, records: number, signal: AbortSignal): Promise<void> {
  const missing = records - audit.size;
  if (missing <= 0) return;
  const startedAt = performance.now();
  for (let done = 0; done < missing; done += IN_HAND) {
    signal.throwIfAborted();
    const count = Math.min(IN_HAND, missing - done);
    await Promise.all(Array.from({ length: count }, (_, at) => audit.append(event(done + at))));
  }
  const perSecond = Math.round((missing / (performance.now() - startedAt)) * 1_000);
  process.stdout.write(`filled up to ${audit.size} records, ${perSecond} records/s\n`);
}

/** Milliseconds of each append of `WRITERS` that append one after the other. */
async function measure(audit: AuditLog, seconds: number, signal: AbortSignal): Promise<number[]> {
  const latencies: number[] = [];
  const until = performance.now() + seconds * 1_000;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    while (performance.now() < until) {
      signal.throwIfAborted();
      const startedAt = performance.now();
      await audit.append(event(writer));
      latencies.push(performance.now() - startedAt);
    }
  });
  await Promise.all(writers);
  return latencies.sort((a, b) => a - b);
}

async function searchUntil(
  store: Store,
  query: string,
  signal: AbortSignal,
): Promise<{ pages: number; rounds: number }> {
  let [pages, rounds] = [0, 0];
  let next: string | undefined;
  while (!signal.aborted) {
    const filter = parseAuditQuery(query, Date.now());
    const page = await searchAudit(store, filter, { ...(next === undefined ? {} : { after: next }) });
    next = page.next;
    pages += 1;
    if (next === undefined) rounds += 1;
  }
  return { pages, rounds };
}

function print(
  name: string,
  latencies: readonly number[],
  seconds: number,
  searched?: { readonly pages: number; readonly rounds: number },
): void {
  const at = (share: number) => (latencies[Math.floor((latencies.length - 1) * share)] ?? 0).toFixed(1).padStart(8);
  const perSecond = Math.round(latencies.length / seconds);
  const also = searched ? `   ${searched.pages} pages, ${searched.rounds} times through the whole log` : '';
  process.stdout.write(
    `${name.padEnd(28)} append p50${at(0.5)}  p99${at(0.99)}  max${at(1)} ms   ${perSecond}/s${also}\n`,
  );
}

function event(at: number): AccessIntent {
  const id = sortableId();
  return {
    kind: 'access.intent',
    id,
    at: Date.now(),
    principal: '3f0c1b9e-58a4-4a55-9c53-5b7f3f1c7c11',
    session: '01939e2a-7c00-7000-8000-000000000001',
    access: 'http',
    via: 'cookie',
    resource: at % 3 === 0 ? 'wiki' : 'metrics',
    method: 'GET',
    host: 'wiki.access.example',
    effect: 'allow',
    rule: 'employees-read-the-wiki',
    reasons: ['rule_allowed'],
    policyVersion: 'cd'.repeat(32),
    agent: 'office',
    tunnel: 'tunnel-1',
    stream: 'stream-1',
    ordinal: 1,
    personal: {
      issuer: 'https://id.example',
      subject: `person-${at % 500}`,
      email: `person-${at % 500}@example.com`,
      address: '192.0.2.7',
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36',
      path: `/docs/page/${at}`,
    },
  };
}
