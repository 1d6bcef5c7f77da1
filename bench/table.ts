import type { Cell } from './measure/cell.ts';
import { type Report, type SetupReport, worstForeignShare } from './report.ts';
import { MANY } from './rounds.ts';

/** Above this share of the machine in foreign hands, even ratios are of little worth. */
const MOST_FOREIGN = 0.05;

/** The report for a terminal. */
export function renderReport(report: Report): string {
  const { machine, options } = report;
  const title = [
    `Each setup: ${options.rounds} rounds of ${options.seconds} s, interleaved; medians.`,
    `${machine.cores} cores (${machine.cpu}), ${machine.system}; load before: ${machine.loadBefore.toFixed(2)}`,
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ];
  const foreign = worstForeignShare(report.setups);
  if (foreign > MOST_FOREIGN) {
    title.push(
      `Other programs took up to ${(100 * foreign).toFixed(0)} % of the machine: repeat this on a quiet one before believing it.`,
    );
  }
  const sections = [
    title.join('\n'),
    renderRates(report),
    renderPages(report),
    renderCpu(report),
    renderRatios(report),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function renderRates(report: Report): string {
  const head = [
    `${MANY} connections: req/s`,
    'p50 ms',
    'p99 ms',
    'CPU µs/req',
    '1 connection: req/s',
    'p50 ms',
    'p99 ms',
    'CPU µs/req',
    'MB/s',
    'peak MB',
  ];
  return columns([
    ['', ...head],
    ...report.setups.map((setup) => [
      setup.title,
      ...cell(setup.median.many),
      ...cell(setup.median.one),
      setup.median.downloadMBps.toFixed(0),
      Object.values(setup.peakBytes)
        .map((bytes) => (bytes / 1e6).toFixed(0))
        .join('+'),
    ]),
  ]);
}

function renderPages({ setups }: Report): string {
  const head = [`a page that the target renders, ${MANY} connections: req/s`, 'p50 ms', 'p99 ms', 'CPU µs/req'];
  return columns([['', ...head], ...setups.map((setup) => [setup.title, ...cell(setup.median.page)])]);
}

function cell(of: Cell): string[] {
  return [
    Math.round(of.requestsPerSecond).toString(),
    (of.p50Us / 1000).toFixed(2),
    (of.p99Us / 1000).toFixed(2),
    of.ownCpuUs.toFixed(0),
  ];
}

function renderCpu({ setups }: Report): string {
  const line = (setup: SetupReport) => {
    const parts = Object.entries(setup.median.many.cpuUs).map(([name, us]) => `${name} ${us.toFixed(1)}`);
    return [setup.title, parts.join(', ')];
  };
  return columns([[`CPU µs per request at ${MANY} connections`, ''], ...setups.map(line)]);
}

function renderRatios({ setups }: Report): string {
  const lines = setups.flatMap((setup) =>
    (['nginx', 'node', 'ssh'] as const).flatMap((other) => {
      const ratios = setup.ratios[other];
      if (!ratios || !setup.name.startsWith('postern')) return [];
      const numbers = [
        ratios.requestsPerSecondMany,
        ratios.requestsPerSecondOne,
        ratios.pagesPerSecond,
        ratios.downloadMBps,
      ];
      return [[`${setup.title} : ${other}`, ...numbers.map((ratio) => ratio.toFixed(2))]];
    }),
  );
  if (lines.length === 0) return '';
  return columns([['ratios', `req/s at ${MANY}`, 'req/s at 1', 'pages/s', 'MB/s'], ...lines]);
}

/** First column to the left, numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((most, row) => row.map((text, at) => Math.max(most[at] ?? 0, text.length)), []);
  return rows
    .map((row) =>
      row
        .map((text, at) =>
          at === 0 || row.length === 2 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
