import { type Cell, measureCell } from './measure/cell.ts';
import { peakMemory } from './measure/cpu.ts';
import { measureDownload } from './measure/download.ts';
import { probe } from './measure/probe.ts';
import { runWrk } from './measure/wrk.ts';
import type { Options } from './options.ts';
import type { Setup, SetupName } from './setup.ts';
import type { Target } from './setups/target.ts';

/** One setup in one round. */
export interface RoundResult {
  /** 1 connection. */
  readonly one: Cell;
  /** 64 connections. */
  readonly many: Cell;
  /** 64 connections that ask for a page which the target renders anew each time. */
  readonly page: Cell;
  /** 10⁶ bytes per second of one download. */
  readonly downloadMBps: number;
}

export interface SetupResult {
  readonly name: SetupName;
  readonly rounds: readonly RoundResult[];
  /** Greatest resident memory in bytes, by own part. */
  readonly peakBytes: Readonly<Record<string, number>>;
}

export const MANY = 64;
const WARM_UP_SECONDS = 2;

/**
 * All setups in each round, each round in another order, so that a drift of the machine hits all alike and
 * the ratios of one round compare what ran within seconds of each other.
 */
export async function measureRounds(
  setups: readonly Setup[],
  target: Target,
  options: Options,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<SetupResult[]> {
  const rounds = new Map<SetupName, RoundResult[]>(setups.map(({ name }) => [name, []]));
  for (const setup of setups) {
    say(`warming up ${setup.name}`);
    await probe(setup);
    const before = await target.served();
    await runWrk(setup, MANY, WARM_UP_SECONDS, signal);
    await measureDownload(setup, options.downloadBytes / 8, signal);
    await setup.confirm?.((await target.served()) - before);
  }
  for (let round = 0; round < options.rounds; round += 1) {
    const turn = round % setups.length;
    for (const setup of [...setups.slice(turn), ...setups.slice(0, turn)]) {
      const many = await measureCell(setup, target, 'small', MANY, options.seconds, signal);
      const one = await measureCell(setup, target, 'small', 1, options.seconds, signal);
      const page = await measureCell(setup, target, 'page', MANY, options.seconds, signal);
      const before = await target.served();
      const downloadMBps = await measureDownload(setup, options.downloadBytes, signal);
      await probe(setup);
      await setup.confirm?.((await target.served()) - before);
      rounds.get(setup.name)?.push({ one, many, page, downloadMBps });
      say(
        `round ${round + 1} of ${options.rounds}: ${setup.name} ${Math.round(many.requestsPerSecond)} requests/s, ${Math.round(downloadMBps)} MB/s`,
      );
    }
  }
  return setups.map((setup) => ({
    name: setup.name,
    rounds: rounds.get(setup.name) ?? [],
    peakBytes: Object.fromEntries(setup.parts.filter((part) => part.own).map((part) => [part.name, peakMemory(part)])),
  }));
}
