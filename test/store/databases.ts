import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { openStore, type Store, type StoreOptions } from '../../src/store/open.ts';
import { eventually } from '../eventually.ts';

const run = promisify(execFile);
const BINARIES = process.env['POSTERN_TEST_POSTGRES_BIN'] ?? '/usr/lib/postgresql/15/bin';

/** A PostgreSQL server of its own, reached through a Unix socket; gone when disposed. */
export interface Cluster extends AsyncDisposable {
  readonly url: Secret;
  /** Of the Unix socket. */
  readonly directory: string;
  /** The postmaster and its children. */
  pids(): Promise<number[]>;
  /** A fresh, empty database. */
  createDatabase(): Promise<Secret>;
  /** Stops every process where it is, also those that are just being started. */
  freeze(): Promise<void>;
  /** All go on. */
  thaw(): Promise<void>;
  /** Ends the server without warning, as a crash would; resolves when it is gone. */
  stop(): Promise<void>;
  /** Starts it again, if it has stopped. */
  start(): Promise<void>;
}

/** A directory that is gone when disposed. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'postern-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** `settings` are lines of postgresql.conf, such as `fsync=off`; its data are in `place`, if one is given. */
export async function startPostgres(settings: readonly string[] = [], place?: string): Promise<Cluster> {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await temporaryDirectory());
  const user = await serverUser();
  const data = join(place ?? directory.path, 'data');
  if (user) for (const path of [directory.path, dirname(data)]) await chown(path, user.uid, user.gid);
  const identity = user ? { uid: user.uid, gid: user.gid } : {};
  await run(
    join(BINARIES, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '--no-locale', '-E', 'UTF8', '--wal-segsize=4'],
    { ...identity, cwd: directory.path },
  );
  const url = (database: string): Secret =>
    new Secret(`postgresql://postgres@/${database}?host=${encodeURIComponent(directory.path)}`);

  let server: { readonly pid: number; readonly exited: Promise<unknown> } | undefined;
  const start = async (): Promise<void> => {
    if (server) return;
    const child = spawn(
      join(BINARIES, 'postgres'),
      ['-D', data, '-k', directory.path, '-c', 'listen_addresses=', ...settings.flatMap((setting) => ['-c', setting])],
      { ...identity, cwd: directory.path, stdio: 'ignore' },
    );
    const exited = once(child, 'exit').then(() => {
      server = undefined;
    });
    if (child.pid === undefined) throw new Error('PostgreSQL did not start.');
    server = { pid: child.pid, exited };
    await untilReady(url('postgres'));
  };
  const freeze = async (): Promise<void> => {
    if (!server) return;
    const postmaster = server.pid;
    signal(postmaster, 'SIGSTOP');
    // Before it has stopped, it may still start one that would be missing among its children.
    await eventually(() => isStopped(postmaster));
    for (const each of await family(postmaster)) signal(each, 'SIGSTOP');
  };
  const thaw = async (): Promise<void> => {
    if (server) for (const each of await family(server.pid)) signal(each, 'SIGCONT');
  };
  const stop = async (): Promise<void> => {
    if (!server) return;
    const { pid, exited } = server;
    await thaw();
    signal(pid, 'SIGQUIT');
    await exited;
  };
  undo.defer(stop);
  await start();

  let databases = 0;
  const held = undo.move();
  return {
    url: url('postgres'),
    directory: directory.path,
    pids: async () => (server ? family(server.pid) : []),
    async createDatabase() {
      databases += 1;
      const name = `d${databases}`;
      await execute(url('postgres'), `CREATE DATABASE ${name}`);
      return url(name);
    },
    freeze,
    thaw,
    start,
    stop,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Opens stores for one test file on one kind of database. */
export interface TestDatabases extends AsyncDisposable {
  readonly kind: 'postgres' | 'embedded';
  /** Where a store with the same `name` finds the same data again. */
  place(name: string): Promise<Pick<StoreOptions, 'databaseUrl' | 'dataDir'>>;
  open(name: string, options?: { commitTimeoutMs?: number }): Promise<Store>;
}

export const KINDS = ['postgres', 'embedded'] as const;

export async function startDatabases(kind: 'postgres' | 'embedded'): Promise<TestDatabases> {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await temporaryDirectory());
  const cluster = kind === 'postgres' ? undo.use(await startPostgres()) : undefined;
  const places = new Map<string, Pick<StoreOptions, 'databaseUrl' | 'dataDir'>>();
  const place: TestDatabases['place'] = async (name) => {
    let known = places.get(name);
    if (!known) {
      const dataDir = join(directory.path, name);
      known = cluster ? { dataDir, databaseUrl: await cluster.createDatabase() } : { dataDir };
      places.set(name, known);
    }
    return known;
  };
  const held = undo.move();
  return {
    kind,
    place,
    open: async (name, options) => openStore({ ...(await place(name)), log: createLog('silent'), ...options }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = await readFile('/etc/passwd', 'utf8');
  const entry = /^(?:postgres|nobody):[^:]*:(\d+):(\d+):/m.exec(passwd);
  if (!entry) throw new Error('PostgreSQL does not run as root and there is no user postgres or nobody.');
  return { uid: Number(entry[1]), gid: Number(entry[2]) };
}

async function family(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return [pid, ...children.trim().split(' ').filter(Boolean).map(Number)];
}

/** proc(5): the state stands behind the name, which may have anything in it. */
async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

/** To a process that may have ended meanwhile. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** One statement on a connection of its own. */
export async function execute(url: Pick<Secret, 'reveal'>, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.reveal(), connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function untilReady(url: Secret): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await execute(url, 'SELECT 1');
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
