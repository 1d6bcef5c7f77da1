import { watch } from 'node:fs';
import { sha256Hex } from '../lib/bytes.ts';
import { messageOf } from '../lib/errors.ts';
import { pause } from '../lib/wait.ts';
import { buildPolicy, type LoadedPolicy, type Surroundings } from './load-policy.ts';
import { policyDifference } from './policy-difference.ts';
import { type PolicyFile, readPolicyFiles } from './policy-files.ts';

export interface PolicyWatch {
  /** The version in force when watching begins. */
  readonly initial: LoadedPolicy;
  /** A valid, different version. Awaited: the next look comes after it. */
  onLoaded(loaded: LoadedPolicy, difference: readonly string[]): void | Promise<void>;
  /** The files changed to something that cannot be used; what is in force stays. `hash` is of the files. */
  onRefused(problems: readonly string[], hash: string): void | Promise<void>;
  /** The files changed to something that means what is in force: nothing is refused any more. */
  onUnchanged?(): void;
  readonly signal: AbortSignal;
}

/** The file system's own news can be lost (network mounts, renamed directories); this look is the truth. */
const POLL_MS = 1000;
/** Files count as written when two looks this far apart saw the same: editors truncate, write and rename. */
const SETTLE_MS = 100;

/** Follows a policy directory until the signal aborts. Resolves then; never rejects, except where a callback threw. */
export async function watchPolicy(directory: string, surroundings: Surroundings, watching: PolicyWatch): Promise<void> {
  const { signal } = watching;
  const news = listen(directory, signal);
  let { ruleSet, policy } = watching.initial;
  let lastLook = '';
  while (!signal.aborted) {
    const look = await settledLook(directory, signal);
    if (look && look.hash !== lastLook) {
      lastLook = look.hash;
      const loaded = attempt(look, surroundings);
      if (Array.isArray(loaded)) await watching.onRefused(loaded, look.hash);
      else if (loaded.policy.version !== policy.version) {
        const difference = policyDifference(ruleSet, loaded.ruleSet);
        ({ ruleSet, policy } = loaded);
        await watching.onLoaded(loaded, difference);
      } else watching.onUnchanged?.();
    }
    await news.next();
  }
}

interface Look {
  readonly files: readonly PolicyFile[];
  /** Why the files cannot be read. */
  readonly problem: string | undefined;
  readonly hash: string;
}

/** What the directory holds once it holds still; undefined when the signal aborts first. */
async function settledLook(directory: string, signal: AbortSignal): Promise<Look | undefined> {
  let look = lookAt(directory);
  while (!signal.aborted) {
    await pause(SETTLE_MS, signal);
    const next = lookAt(directory);
    if (next.hash === look.hash) return next;
    look = next;
  }
  return undefined;
}

function lookAt(directory: string): Look {
  try {
    const files = readPolicyFiles(directory);
    return { files, problem: undefined, hash: sha256Hex(JSON.stringify(files)) };
  } catch (error) {
    const problem = messageOf(error);
    return { files: [], problem, hash: sha256Hex(problem) };
  }
}

/** The policy, or the problems with it. */
function attempt(look: Look, surroundings: Surroundings): LoadedPolicy | string[] {
  if (look.problem !== undefined) return [look.problem];
  try {
    return buildPolicy(look.files, surroundings);
  } catch (error) {
    return messageOf(error).split('\n');
  }
}

/** `next` resolves at the next sign of a change, and after POLL_MS at the latest. */
function listen(directory: string, signal: AbortSignal): { next(): Promise<void> } {
  let wake = new AbortController();
  try {
    const watcher = watch(directory, { signal, persistent: false }, () => wake.abort());
    watcher.on('error', () => watcher.close());
  } catch {
    // The directory cannot be watched; looking each second finds what changed.
  }
  signal.addEventListener('abort', () => wake.abort(), { once: true });
  return {
    async next() {
      if (signal.aborted) return;
      await pause(POLL_MS, wake.signal);
      wake = new AbortController();
    },
  };
}
