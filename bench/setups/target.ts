import { once } from 'node:events';
import { startServer } from '../server.ts';
import { BenchError, type Part, type Setup } from '../setup.ts';
import type { TargetCount } from './target-bodies.ts';

export interface Target {
  readonly port: number;
  /** As it appears in the setups that stand before it. */
  readonly part: Part;
  /** Requests seen since it started. */
  served(): Promise<number>;
}

const COUNT_MS = 5_000;

export async function startTarget(stack: AsyncDisposableStack, signal: AbortSignal): Promise<Target> {
  const program = new URL('target-server.ts', import.meta.url);
  const child = stack.use(await startServer(program, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], signal }));
  return {
    port: child.port,
    part: { name: 'target', pid: child.pid, own: false },
    served: async () => {
      const answered = once(child.process, 'message', { signal: AbortSignal.timeout(COUNT_MS) });
      child.process.send('count');
      const [count] = (await answered) as [TargetCount];
      if (!Number.isInteger(count.served)) throw new BenchError('The target did not say how many requests it saw.');
      return count.served;
    },
  };
}

/** The target with nothing before it: what the others are compared with. */
export function targetAlone(target: Target): Setup {
  return { name: 'target', port: target.port, headers: {}, parts: [{ ...target.part, own: true }] };
}
