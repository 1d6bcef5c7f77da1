// The one step before everything: make node_modules match the lock file, then run a program with the pinned Node.
// Plain JavaScript, because the Node that starts it may be older than the one it installs.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lockHash = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');
const stamp = `${root}node_modules/.postern-lock`;
// A link leads into somebody else's tree, which `npm ci` would empty.
const isLink = lstatSync(`${root}node_modules`, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

if (!isLink && (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lockHash)) {
  process.stderr.write('Installing the packages of package-lock.json (once)…\n');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.status !== 0) {
    process.stderr.write(
      'npm ci failed; its message is above. Postern needs Node 20 or later, npm and the npm registry.\n',
    );
    process.exit(1);
  }
  writeFileSync(stamp, lockHash);
}

const pinned =
  ['node', 'node.exe'].map((name) => `${root}node_modules/.bin/${name}`).find(existsSync) ?? process.execPath;
const [program, ...args] = process.argv.slice(2);
const child = spawn(pinned, [`${root}${program}`, ...args], { stdio: 'inherit' });
// A terminal's Ctrl-C reaches the child by itself (same process group); a plain kill of this process does not.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {});
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal === 'SIGINT' ? 'SIGTERM' : signal);
  else process.exit(code ?? 1);
});
