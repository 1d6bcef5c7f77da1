import { type Command, Option } from 'commander';
import { printableJson } from '../lib/printable.ts';

export type OutputFormat = 'table' | 'json' | 'jsonl';

export interface OutputOptions {
  output: OutputFormat;
}

/** For commands that print data. `--json` came first and stays. */
export function outputOption(command: Command): Command {
  return command
    .addOption(
      new Option('-o, --output <format>', 'for people, as one JSON document, or one JSON record per line')
        .choices(['table', 'json', 'jsonl'] satisfies OutputFormat[])
        .default('table' satisfies OutputFormat),
    )
    .addOption(new Option('--json', 'the same as -o json').implies({ output: 'json' satisfies OutputFormat }));
}

/** `table` is asked only when people read it; they are told when there is nothing. */
export function printList(
  records: readonly object[],
  format: OutputFormat,
  table: () => string,
  nothing = 'There is none.',
): void {
  if (records.length === 0 && format === 'table') process.stderr.write(`${nothing}\n`);
  const lines = () => records.map((record) => printableJson(JSON.stringify(record)));
  if (format === 'table') print(table());
  else if (format === 'jsonl')
    print(
      lines()
        .map((line) => `${line}\n`)
        .join(''),
    );
  // One document that is also one record per line, so both parsers and grep can read it.
  else print(records.length === 0 ? '[]\n' : `[\n${lines().join(',\n')}\n]\n`);
}

export function printOne(record: object, format: OutputFormat, table: () => string): void {
  if (format === 'table') print(table());
  else print(`${printableJson(JSON.stringify(record, undefined, format === 'json' ? 2 : 0))}\n`);
}

/** Data, for standard output. A reader that has seen enough (`| head`) is no failure. */
export function print(text: string): void {
  if (process.stdout.listenerCount('error') === 0)
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  process.stdout.write(text);
}
