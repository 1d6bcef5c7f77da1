import type { LiveTraffic } from '../gateway/ports.ts';
import type { Logger } from '../lib/log.ts';
import { pause } from '../lib/wait.ts';

const LOOK_MS = 50;

/** Waits until nothing is open any more, at most `limitMs`. What is left then is the caller's to cut. */
export async function drain(live: Pick<LiveTraffic, 'list'>, limitMs: number, log: Logger): Promise<void> {
  const until = performance.now() + limitMs;
  const open = live.list().length;
  if (open === 0) return;
  log.info({ open, limitMs }, 'waiting for what is open');
  while (live.list().length > 0 && performance.now() < until) await pause(LOOK_MS);
  const left = live.list().length;
  if (left > 0) log.warn({ left }, 'not waiting any longer');
}
