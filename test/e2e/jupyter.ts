import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { within } from '../../src/lib/wait.ts';

export interface Jupyter extends AsyncDisposable {
  /** What the agent dials. */
  readonly target: string;
  /** Name of an empty notebook in it. */
  readonly notebook: string;
  /** What reached it since it started: `GET /tree`. */
  readonly requests: readonly string[];
}

const PORT = 8888;
const START_LIMIT_MS = 30_000;

/** Debian's Jupyter Notebook inside a namespace: no sign-in of its own, and only the proxy's Host is accepted. */
export async function startJupyter(prefix: readonly string[], publicHost: string): Promise<Jupyter> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-jupyter-'));
  writeFileSync(join(directory, 'story.ipynb'), JSON.stringify(NOTEBOOK));
  const args = [
    '--allow-root',
    '--no-browser',
    '--ip=127.0.0.1',
    `--port=${PORT}`,
    '--NotebookApp.token=',
    '--NotebookApp.password=',
    '--NotebookApp.allow_remote_access=False',
    `--NotebookApp.local_hostnames=${publicHost}`,
    `--notebook-dir=${directory}`,
    // So that it logs every request.
    '--log-level=DEBUG',
  ];
  const [command = '', ...rest] = [...prefix, 'jupyter-notebook', ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Kernels are its children: all of them end as one group.
    detached: true,
    env: { ...process.env, HOME: directory, JUPYTER_RUNTIME_DIR: join(directory, 'run'), IPYTHONDIR: directory },
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const dispose = async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };

  const up = Promise.withResolvers<void>();
  const said: string[] = [];
  const requests: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (said.length > 50) said.shift();
    const request = /\] \d{3} ([A-Z]+ \/\S*) \(/.exec(line)?.[1];
    if (request) requests.push(request);
    if (/is running at|http:\/\/127\.0\.0\.1/.test(line)) up.resolve();
  });
  void ended.then(() => up.reject(new Error(`Jupyter ended early:\n${said.join('\n')}`)));
  try {
    await within(START_LIMIT_MS, 'starting Jupyter', up.promise);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { target: `http://127.0.0.1:${PORT}`, notebook: 'story.ipynb', requests, [Symbol.asyncDispose]: dispose };
}

const NOTEBOOK = {
  cells: [{ cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source: [] }],
  metadata: { kernelspec: { display_name: 'Python 3 (ipykernel)', language: 'python', name: 'python3' } },
  nbformat: 4,
  nbformat_minor: 4,
};
