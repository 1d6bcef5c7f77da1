import type { Machine } from './machine.ts';
import type { Cell } from './measure/cell.ts';
import type { Options } from './options.ts';
import type { RoundResult, SetupResult } from './rounds.ts';
import { SETUP_TITLES, type SetupName } from './setup.ts';

/** The document of `--json`. Rates per second, times in µs, memory in bytes; medians over the rounds. */
export interface Report {
  readonly machine: Machine;
  readonly options: Pick<Options, 'seconds' | 'rounds' | 'downloadBytes'>;
  readonly setups: readonly SetupReport[];
}

export interface SetupReport {
  readonly name: SetupName;
  readonly title: string;
  readonly median: RoundResult;
  readonly peakBytes: Readonly<Record<string, number>>;
  /** Against each other setup, median of the ratios within one round; above 1 this setup is faster. */
  readonly ratios: Readonly<Partial<Record<SetupName, Ratios>>>;
  readonly rounds: readonly RoundResult[];
}

export interface Ratios {
  readonly requestsPerSecondMany: number;
  readonly requestsPerSecondOne: number;
  readonly pagesPerSecond: number;
  readonly downloadMBps: number;
}

const METRICS: Readonly<Record<keyof Ratios, (round: RoundResult) => number>> = {
  requestsPerSecondMany: (round) => round.many.requestsPerSecond,
  requestsPerSecondOne: (round) => round.one.requestsPerSecond,
  pagesPerSecond: (round) => round.page.requestsPerSecond,
  downloadMBps: (round) => round.downloadMBps,
};

export function summarise(results: readonly SetupResult[], options: Options, machine: Machine): Report {
  return {
    machine,
    options: { seconds: options.seconds, rounds: options.rounds, downloadBytes: options.downloadBytes },
    setups: results.map((result) => ({
      name: result.name,
      title: SETUP_TITLES[result.name],
      median: medianRound(result.rounds),
      peakBytes: result.peakBytes,
      ratios: Object.fromEntries(
        results.filter(({ name }) => name !== result.name).map((other) => [other.name, ratiosOf(result, other)]),
      ),
      rounds: result.rounds,
    })),
  };
}

/** The most that programs outside the bench took of the machine in any run, 0 to 1. */
export function worstForeignShare(setups: readonly SetupReport[]): number {
  const rounds = setups.flatMap((setup) => setup.rounds);
  return Math.max(0, ...rounds.flatMap(({ one, many, page }) => [one, many, page].map((cell) => cell.foreignShare)));
}

/** Throws on an empty list: a median of nothing would be reported as a number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined) throw new RangeError('The median of no values was asked for.');
  return (upper + lower) / 2;
}

/** Medians of each number by itself. */
function medianRound(rounds: readonly RoundResult[]): RoundResult {
  return {
    one: medianCell(rounds.map((round) => round.one)),
    many: medianCell(rounds.map((round) => round.many)),
    page: medianCell(rounds.map((round) => round.page)),
    downloadMBps: median(rounds.map((round) => round.downloadMBps)),
  };
}

function medianCell(cells: readonly Cell[]): Cell {
  const of = (read: (cell: Cell) => number) => median(cells.map(read));
  return {
    requestsPerSecond: of((cell) => cell.requestsPerSecond),
    p50Us: of((cell) => cell.p50Us),
    p99Us: of((cell) => cell.p99Us),
    cpuUs: Object.fromEntries(
      Object.keys(cells[0]?.cpuUs ?? {}).map((part) => [part, of((cell) => cell.cpuUs[part] ?? 0)]),
    ),
    ownCpuUs: of((cell) => cell.ownCpuUs),
    foreignShare: of((cell) => cell.foreignShare),
  };
}

export function ratiosOf(mine: SetupResult, other: SetupResult): Ratios {
  const of = (metric: keyof Ratios) =>
    median(
      mine.rounds.flatMap((round, at) => {
        const twin = other.rounds[at];
        return twin ? [METRICS[metric](round) / METRICS[metric](twin)] : [];
      }),
    );
  return {
    requestsPerSecondMany: of('requestsPerSecondMany'),
    requestsPerSecondOne: of('requestsPerSecondOne'),
    pagesPerSecond: of('pagesPerSecond'),
    downloadMBps: of('downloadMBps'),
  };
}
