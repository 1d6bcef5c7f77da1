import { fileURLToPath } from 'node:url';
import { startChild } from '../child.ts';
import type { Setup } from '../setup.ts';
import { NODE_PROXY_READY } from './node-proxy-ready.ts';
import type { Target } from './target.ts';

/** A bare reverse proxy on node:http: what Node itself costs, before anything of ours. */
export async function startNodeProxy(stack: AsyncDisposableStack, target: Target, signal: AbortSignal): Promise<Setup> {
  const program = fileURLToPath(new URL('node-proxy-server.ts', import.meta.url));
  const child = stack.use(
    await startChild(process.execPath, [program, String(target.port)], {
      ready: new RegExp(`${NODE_PROXY_READY}(\\d+)`),
      signal,
    }),
  );
  return {
    name: 'node',
    port: Number(child.match),
    headers: {},
    parts: [{ name: 'node', pid: child.pid, own: true }, target.part],
  };
}
