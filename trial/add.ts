import { connect } from 'node:net';
import { pause } from '../src/lib/wait.ts';
import { protocolOf, readApps, writeApps } from './apps.ts';
import { readRunning } from './running.ts';
import { originOf, type Settings, TrialProblem } from './settings.ts';

const USAGE =
  'It takes a name and where your app listens, for example:\n\n  npm start -- add myapp localhost:3000\n  npm start -- add mybox ssh://localhost\n  npm start -- add mydb tcp://localhost:5432';
const TAKEN = new Set(['wiki', 'metrics', 'echo', 'postern']);
const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'ssh:': '22' };
/** Relay and agent start anew, which takes a few seconds. */
const LIMIT_MS = 60_000;

/** `npm start -- add NAME ADDRESS`: puts an app, an SSH server or any TCP service of this machine behind the trial, with a rule that lets employees in. */
export async function addApp(settings: Settings, [name, text, ...rest]: readonly string[]): Promise<void> {
  if (!name || !text || rest.length > 0) throw new TrialProblem(USAGE);
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name) || name.endsWith('-') || TAKEN.has(name))
    throw new TrialProblem(
      `"${name}" cannot be its name: lower-case letters, digits and "-", and not ${[...TAKEN].join(', ')}.`,
    );
  const target = parseTarget(text);
  const address = `${target.protocol}//${target.host}`;
  const { directory } = settings;
  if (!(await listens(target)))
    process.stderr.write(
      `Nothing listens at ${target.hostname}:${portOf(target)} now. That is fine, but start it before you go there.\n`,
    );
  const apps = readApps(directory);
  if (apps[name] !== address) writeApps(directory, { ...apps, [name]: address });

  const rule = `${directory}/policies/${name}.yaml`;
  let running = readRunning(directory);
  if (!running) {
    process.stdout.write(
      `At the next \`npm start\`, ${name} is at ${whereIs(settings, name, address)}\nIts rule will be in ${rule}\n`,
    );
    return;
  }
  const before = Date.now();
  while (running?.apps[name] !== address) {
    if (!running || Date.now() - before > LIMIT_MS)
      throw new TrialProblem('It did not come up; the terminal of `npm start` says why.');
    await pause(100);
    running = readRunning(directory);
  }
  // Not of our own settings: POSTERN_PORT may be said in its terminal alone.
  process.stdout.write(
    `${name} is at ${whereIs(running, name, address)}\nWho may use it: ${rule} (employees, to begin with; edits work at once)\n`,
  );
}

/** Where people find it, or how they get there. */
function whereIs(at: Pick<Settings, 'relay'>, name: string, address: string): string {
  const protocol = protocolOf(address);
  if (protocol === 'http') return originOf(at, name);
  const postern = 'npm run -s postern --';
  const command = protocol === 'ssh' ? `ssh ${name}` : `connect ${name} -L 0`;
  return `the end of this, from the command line:\n\n  ${postern} login ${at.relay}\n  ${postern} ${command}\n`;
}

function parseTarget(text: string): URL {
  const plain = /^\d+$/.test(text) ? `http://localhost:${text}` : text.includes('://') ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(plain);
  } catch {
    throw new TrialProblem(`"${text}" is not an address. ${USAGE}`);
  }
  const isKnown = url.protocol in PORTS || (url.protocol === 'tcp:' && url.port !== '');
  if (!isKnown || url.pathname.length > 1 || url.search !== '' || url.username !== '')
    throw new TrialProblem(
      `"${text}" must be http://host:port, ssh://host or tcp://host:port, without a path. ${USAGE}`,
    );
  return url;
}

function portOf({ port, protocol }: URL): string {
  return port || (PORTS[protocol] ?? '');
}

function listens(target: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      host: target.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(portOf(target)),
      timeout: 1000,
    });
    const done = (found: boolean) => {
      socket.destroy();
      resolve(found);
    };
    socket.on('connect', () => done(true));
    socket.on('timeout', () => done(false));
    socket.on('error', () => done(false));
  });
}
