import { startServer } from '../server.ts';
import type { Setup } from '../setup.ts';
import type { Target } from './target.ts';

/** A bare reverse proxy on node:http: what Node itself costs, before anything of ours. */
export async function startNodeProxy(stack: AsyncDisposableStack, target: Target, signal: AbortSignal): Promise<Setup> {
  const program = new URL('node-proxy-server.ts', import.meta.url);
  const { port, pid } = stack.use(await startServer(program, [String(target.port)], { signal }));
  return { name: 'node', port, headers: {}, parts: [{ name: 'node', pid, own: true }, target.part] };
}
