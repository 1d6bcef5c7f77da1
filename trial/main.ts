// `npm start`: the whole product on this machine, with a provider, people and apps to try it on.
// `npm start -- add NAME URL` puts an app of your own behind it.
import { mkdirSync, watchFile } from 'node:fs';
import { randomToken } from '../src/lib/bytes.ts';
import { messageOf } from '../src/lib/errors.ts';
import { aborted } from '../src/lib/wait.ts';
import { buildConsole } from '../tools/console-build.ts';
import { addApp } from './add.ts';
import { appsFile, readApps } from './apps.ts';
import { type Chain, startChain } from './chain.ts';
import { writeFiles } from './files.ts';
import { kept } from './kept.ts';
import { chooseProviderPort, requireRelayPort } from './ports.ts';
import { startProvider } from './provider.ts';
import { readRunning, writeRunning } from './running.ts';
import { originOf, readSettings, type Settings, TrialProblem } from './settings.ts';
import { endWithStarter } from './starter.ts';
import { assertionReader } from './targets/assertion.ts';
import { startEcho } from './targets/echo.ts';
import { startMetrics } from './targets/metrics.ts';
import { startWiki } from './targets/wiki.ts';
import { tour } from './tour.ts';

/** Looks at the list of own apps often enough that `add` feels immediate. */
const WATCH_INTERVAL_MS = 300;

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A second one means: now. The children notice by themselves.
    if (stop.signal.aborted) process.exit(130);
    process.stderr.write('\nStopping…\n');
    stop.abort();
  });
}

try {
  const settings = readSettings();
  const [word, ...rest] = process.argv.slice(2);
  if (word === undefined) await run(settings);
  else if (word === 'add') await addApp(settings, rest);
  else throw new TrialProblem(`There is no "${word}" here. Known: npm start, npm start -- add NAME URL`);
  process.exit(0);
} catch (error) {
  if (stop.signal.aborted) process.exit(0);
  process.stderr.write(
    `\n${error instanceof TrialProblem ? error.message : `Postern did not start: ${messageOf(error)}`}\n`,
  );
  process.exit(1);
}

async function run(settings: Settings): Promise<void> {
  endWithStarter(stop);
  const { directory, relay } = settings;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const other = readRunning(directory);
  if (other)
    throw new TrialProblem(
      `Postern already runs on ${directory} (process ${other.pid}), at ${other.relay}. For a second one beside it:\n\n` +
        `  POSTERN_PORT=${settings.port + 1000} POSTERN_DATA_DIR=${directory}-2 npm start`,
    );
  await requireRelayPort(settings);
  const providerPort = await chooseProviderPort(settings);
  await buildConsole();

  await using running = new AsyncDisposableStack();
  const provider = running.use(
    await startProvider({
      port: providerPort,
      directory: `${directory}/provider`,
      relay,
      clientSecret: kept(`${directory}/client-secret`, () => randomToken()),
    }),
  );
  const reader = (resource: string) => assertionReader(relay, originOf(settings, resource));
  const wiki = running.use(await startWiki(reader('wiki'), `${directory}/wiki.json`));
  const metrics = running.use(await startMetrics(reader('metrics')));
  const echo = running.use(await startEcho(reader('echo')));
  const targets = { wiki: wiki.url, metrics: metrics.url, echo: echo.url };

  const start = async (): Promise<{ chain: Chain; policies: string }> => {
    const apps = readApps(directory);
    const files = writeFiles(settings, provider.issuer, targets, apps);
    const chain = await startChain(settings, files, stop.signal);
    writeRunning(directory, { pid: process.pid, relay, apps });
    return { chain, policies: files.policies };
  };

  const changes = appChanges(directory);
  const stopped = aborted(stop.signal).then(() => 'stop' as const);
  const first = await start();
  let chain = first.chain;
  process.stdout.write(tour(settings, { policies: first.policies, providerPort }));
  try {
    for (;;) {
      const event = await Promise.race([changes.next(), stopped, chain.broken]);
      if (event === 'stop') return;
      if (event !== 'apps') throw new TrialProblem(event);
      await chain[Symbol.asyncDispose]();
      ({ chain } = await start());
      const names = Object.keys(readApps(directory));
      process.stdout.write(names.map((name) => `${name} is at ${originOf(settings, name)}\n`).join(''));
    }
  } finally {
    await chain[Symbol.asyncDispose]();
  }
}

function appChanges(directory: string): { next(): Promise<'apps'> } {
  let arrived = Promise.withResolvers<'apps'>();
  watchFile(appsFile(directory), { interval: WATCH_INTERVAL_MS, persistent: false }, (now, before) => {
    // Also called once for a file that is not there.
    if (now.mtimeMs !== before.mtimeMs) arrived.resolve('apps');
  });
  return {
    async next() {
      const event = await arrived.promise;
      arrived = Promise.withResolvers();
      return event;
    },
  };
}
