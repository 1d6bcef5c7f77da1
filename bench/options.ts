import { parseArgs } from 'node:util';
import { BenchError, SETUP_NAMES, type SetupName } from './setup.ts';

export interface Options {
  readonly json: boolean;
  /** Length of one wrk run. */
  readonly seconds: number;
  readonly rounds: number;
  readonly downloadBytes: number;
  readonly only: readonly SetupName[];
}

export const USAGE = `npm run bench -- [--json] [--seconds 3] [--rounds 3] [--download-mb 512] [--only ${SETUP_NAMES.join(',')}]`;

/** The embedded database is measured when asked for with --only: two relays more in one run would crowd a small machine. */
const DEFAULT_SETUPS: readonly SetupName[] = ['target', 'nginx', 'node', 'ssh', 'postern'];

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
      'download-mb': { type: 'string', default: '512' },
      only: { type: 'string' },
    },
  });
  return {
    json: values.json,
    seconds: wholeNumber('--seconds', values.seconds),
    rounds: wholeNumber('--rounds', values.rounds),
    downloadBytes: wholeNumber('--download-mb', values['download-mb']) * 1e6,
    only: values.only === undefined ? DEFAULT_SETUPS : values.only.split(',').map(setupName),
  };
}

export function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new BenchError(`${option} takes a whole number of 1 or more, not "${text}".`);
  return Number(text);
}

function setupName(text: string): SetupName {
  const name = SETUP_NAMES.find((known) => known === text.trim());
  if (!name) throw new BenchError(`--only knows ${SETUP_NAMES.join(', ')}, not "${text}".`);
  return name;
}
