import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from '../src/lib/wait.ts';

const LEASH = new URL('./leash.ts', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** A child that does not end in order within this time is killed. */
const STOP_LIMIT_MS = 8000;
/** Last lines that are kept to explain an early end. */
const KEPT_LINES = 30;

export interface ProgramOptions {
  /** How it is called in messages. */
  readonly name: string;
  /** Command line of Postern, e.g. `['relay', '--config', file]`. */
  readonly args: readonly string[];
  /** Its log is appended here; nowhere when undefined. */
  readonly logFile?: string;
  /** Called with each of its log lines. */
  readonly onLine?: (line: LogLine) => void;
  /** Put before the program itself, e.g. `['ip', 'netns', 'exec', name]`. */
  readonly prefix?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** One line of a program's stderr: parsed where it is a line of its JSON log (pino). */
export interface LogLine {
  readonly text: string;
  /** pino's numbers: 40 is a warning. Lines that are not JSON count as errors. */
  readonly level: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it ended, with its exit code or signal. */
  readonly ended: Promise<string>;
  /** Resolves at the first line, past or to come, that passes the test; rejects when the program ends before, or after `limitMs`. */
  saw(what: string, test: (line: LogLine) => boolean, limitMs: number): Promise<LogLine>;
  /** Rejects when the program ends, with what it said last; never resolves. */
  endsBefore(what: string): Promise<never>;
  kill(signal: NodeJS.Signals): void;
}

/** Runs Postern's command line as a child that cannot outlive this process. */
export function launch({ name, args, logFile, onLine, prefix = [], env }: ProgramOptions): Program {
  const [command = process.execPath, ...rest] = [...prefix, process.execPath, '--import', LEASH, MAIN, ...args];
  const child = spawn(command, rest, {
    stdio: ['pipe', 'ignore', 'pipe'],
    // Of its own group, so that Ctrl-C reaches it through us alone, in the order we choose.
    detached: true,
    env: { ...process.env, ...env },
  });
  child.stdin.on('error', () => {});
  const file = logFile === undefined ? undefined : createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  const lines: LogLine[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  const reader = createInterface({ input: child.stderr });
  reader.on('line', (text) => {
    file?.write(`${text}\n`);
    const line = parseLine(text);
    lines.push(line);
    if (lines.length > KEPT_LINES * 10) lines.splice(0, lines.length - KEPT_LINES * 10);
    onLine?.(line);
    for (const watcher of watchers) watcher(line);
  });
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      file?.end();
      resolve(signal ?? `exit code ${code}`);
    });
  });
  const endsBefore = async (what: string): Promise<never> => {
    const how = await ended;
    const tail = lines.slice(-KEPT_LINES).map(({ message }) => `  ${message}`);
    throw new Error(`The ${name} ended (${how}) before this happened: ${what}\n${tail.join('\n')}`);
  };

  return {
    pid: child.pid ?? -1,
    ended,
    async saw(what, test, limitMs) {
      const past = lines.find(test);
      if (past) return past;
      const seen = Promise.withResolvers<LogLine>();
      const watch = (line: LogLine) => test(line) && seen.resolve(line);
      watchers.add(watch);
      const first = Promise.race([seen.promise, endsBefore(what)]);
      return within(limitMs, `${name}: ${what}`, first).finally(() => watchers.delete(watch));
    },
    endsBefore,
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended;
      clearTimeout(killer);
    },
  };
}

function parseLine(text: string): LogLine {
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const { level, msg } = fields;
    return {
      text,
      level: typeof level === 'number' ? level : 50,
      message: typeof msg === 'string' ? msg : text,
      fields,
    };
  } catch {
    return { text, level: 50, message: text, fields: {} };
  }
}
