import { BenchError } from '../setup.ts';

const CALL_MS = 30_000;

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Id of the node that was running, one per sample. */
  readonly samples: readonly number[];
  /** µs before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** Profiles the main thread of a Node that runs with --inspect=127.0.0.1:0, from now until `stop`. */
export async function startProfile(output: string, intervalUs: number): Promise<() => Promise<CpuProfile>> {
  const address = /Debugger listening on (ws:\S+)/.exec(output)?.[1];
  if (address === undefined) throw new BenchError('The process does not run with --inspect.');
  const socket = new WebSocket(address);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new BenchError(`The inspector at ${address} does not answer.`));
  });
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  socket.onmessage = ({ data }) => {
    const { id, result, error } = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: unknown };
    if (id === undefined) return;
    if (error === undefined) pending.get(id)?.resolve(result);
    else pending.get(id)?.reject(new BenchError(`The inspector refused: ${JSON.stringify(error)}`));
    pending.delete(id);
  };
  let calls = 0;
  const call = async (method: string, params: object = {}): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    calls += 1;
    pending.set(calls, answer);
    socket.send(JSON.stringify({ id: calls, method, params }));
    const timer = setTimeout(() => answer.reject(new BenchError(`The inspector did not answer ${method}.`)), CALL_MS);
    return answer.promise.finally(() => clearTimeout(timer));
  };
  await call('Profiler.enable');
  await call('Profiler.setSamplingInterval', { interval: intervalUs });
  await call('Profiler.start');
  return async () => {
    const { profile } = (await call('Profiler.stop')) as { profile: CpuProfile };
    socket.close();
    return profile;
  };
}
