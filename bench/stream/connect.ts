import { fileURLToPath } from 'node:url';
import { within } from '../../src/lib/wait.ts';
import { type Child, startChild } from '../child.ts';
import { ask } from '../measure/probe.ts';
import { BenchError } from '../setup.ts';
import type { Postern } from '../setups/postern.ts';
import { Visitor } from '../setups/sign-in.ts';

/** Once the person has agreed. */
const LOGIN_MS = 10_000;
const PROGRAM = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** `postern login`, a person agreeing in the browser, then `postern connect`: gives its process and the port it opened. */
export async function startConnect(
  stack: AsyncDisposableStack,
  { relayOrigin }: Postern,
  resource: string,
  directory: string,
  signal: AbortSignal,
): Promise<{ readonly child: Child; readonly port: number }> {
  const env = { ...process.env, POSTERN_CONFIG_DIR: `${directory}/command-line` };
  const login = stack.use(
    await startChild(process.execPath, [PROGRAM, 'login', relayOrigin, '--no-browser'], {
      env,
      ready: /(http:\S+\/cli\/authorize\S*)/,
      signal,
    }),
  );
  const ended = new Promise<number | null>((resolve) => login.process.once('exit', resolve));
  await agree(login.match ?? '');
  if ((await within(LOGIN_MS, 'Signing a command line in', ended)) !== 0)
    throw new BenchError(`postern login failed:\n${login.output()}`);
  const child = stack.use(
    await startChild(process.execPath, [PROGRAM, 'connect', resource, '-L', '0'], { env, ready: /^(\d+)$/m, signal }),
  );
  return { child, port: Number(child.match) };
}

/** What the page does when a person lets the command line act as them. */
async function agree(address: string): Promise<void> {
  const visitor = new Visitor('alice', 'alice');
  const page = (await visitor.visit(address)).body.toString();
  const fields = [...page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
    name,
    value?.replaceAll('&amp;', '&'),
  ]);
  const { origin, host, port } = new URL(address);
  const answer = await ask(
    Number(port),
    '/cli/authorize',
    {
      host,
      origin,
      cookie: visitor.cookieHeader(host),
      'content-type': 'application/json',
      accept: 'application/json',
      'sec-fetch-site': 'same-origin',
    },
    JSON.stringify({ ...Object.fromEntries(fields), answer: 'allow' }),
  );
  if (answer.status !== 200) throw new BenchError(`Nobody could agree (${answer.status}): ${answer.body.toString()}`);
  const { location } = JSON.parse(answer.body.toString()) as { location: string };
  await fetch(location, { signal: AbortSignal.timeout(LOGIN_MS) });
}
