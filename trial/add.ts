import { connect } from 'node:net';
import { pause } from '../src/lib/wait.ts';
import { readApps, writeApps } from './apps.ts';
import { readRunning } from './running.ts';
import { originOf, type Settings, TrialProblem } from './settings.ts';

const USAGE = 'It takes a name and where your app listens, for example:\n\n  npm start -- add myapp localhost:3000';
const TAKEN = new Set(['wiki', 'metrics', 'echo', 'postern']);
/** Relay and agent start anew, which takes a few seconds. */
const LIMIT_MS = 60_000;

/** `npm start -- add NAME URL`: puts an app of this machine behind the trial, with a rule that lets employees in. */
export async function addApp(settings: Settings, [name, text, ...rest]: readonly string[]): Promise<void> {
  if (!name || !text || rest.length > 0) throw new TrialProblem(USAGE);
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name) || name.endsWith('-') || TAKEN.has(name))
    throw new TrialProblem(
      `"${name}" cannot be its name: lower-case letters, digits and "-", and not ${[...TAKEN].join(', ')}.`,
    );
  const target = parseTarget(text);
  const { directory } = settings;
  if (!(await listens(target)))
    process.stderr.write(
      `Nothing listens at ${target.host} now. That is fine, but start your app before you visit it.\n`,
    );
  const apps = readApps(directory);
  if (apps[name] !== target.origin) writeApps(directory, { ...apps, [name]: target.origin });

  const origin = originOf(settings, name);
  const rule = `${directory}/policies/${name}.yaml`;
  if (!readRunning(directory)) {
    process.stdout.write(`At the next \`npm start\`, ${name} is at ${origin}\nIts rule will be in ${rule}\n`);
    return;
  }
  const before = Date.now();
  for (;;) {
    const running = readRunning(directory);
    if (running?.apps[name] === target.origin) break;
    if (!running || Date.now() - before > LIMIT_MS)
      throw new TrialProblem('It did not come up; the terminal of `npm start` says why.');
    await pause(100);
  }
  process.stdout.write(
    `${name} is at ${origin}\nWho may use it: ${rule} (employees, to begin with; edits work at once)\n`,
  );
}

function parseTarget(text: string): URL {
  const plain = /^\d+$/.test(text) ? `http://localhost:${text}` : text.includes('://') ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(plain);
  } catch {
    throw new TrialProblem(`"${text}" is not an address. ${USAGE}`);
  }
  if (url.protocol !== 'http:' || url.pathname !== '/' || url.search !== '')
    throw new TrialProblem(`"${text}" must be http://host:port, without a path. ${USAGE}`);
  return url;
}

function listens({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || '80'), timeout: 1000 });
    const done = (found: boolean) => {
      socket.destroy();
      resolve(found);
    };
    socket.on('connect', () => done(true));
    socket.on('timeout', () => done(false));
    socket.on('error', () => done(false));
  });
}
