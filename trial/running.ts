import type { Apps } from './apps.ts';
import { readIfThere, replace } from './kept.ts';

/** What a running trial says about itself, for `npm start -- add` and for a second `npm start`. */
export interface Running {
  readonly pid: number;
  readonly relay: string;
  /** The newcomer's apps as they are reachable now. */
  readonly apps: Apps;
}

export function writeRunning(directory: string, running: Running): void {
  replace(`${directory}/running.json`, JSON.stringify(running));
}

/** The trial that runs on this directory, if one does. */
export function readRunning(directory: string): Running | undefined {
  const text = readIfThere(`${directory}/running.json`);
  if (text === undefined) return undefined;
  const running = JSON.parse(text) as Running;
  return isAlive(running.pid) ? running : undefined;
}

function isAlive(pid: number): boolean {
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch {
    return false;
  }
}
