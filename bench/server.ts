import type { SpawnOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './child.ts';
import { SERVES_ON } from './say-port.ts';

/** Starts a server program of the bench and waits until it says its port. */
export async function startServer(
  program: URL,
  args: readonly string[],
  options: SpawnOptions & { readonly signal: AbortSignal },
): Promise<Child & { readonly port: number }> {
  const ready = new RegExp(`${SERVES_ON}(\\d+)`);
  const child = await startChild(process.execPath, [fileURLToPath(program), ...args], { ...options, ready });
  return { ...child, port: Number(child.match) };
}
