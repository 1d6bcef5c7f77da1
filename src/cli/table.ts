import { styleText } from 'node:util';
import { printable } from '../lib/printable.ts';

/** What a table must fit into. Without `columns`, as wide as it is: programs read it. */
export interface Surface {
  readonly columns?: number;
  readonly colour: boolean;
}

/** Rows below a head, nothing without rows; where that is too wide for the terminal, one block per row, named by its first cell. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  surface: Surface = terminal(),
): string {
  if (rows.length === 0) return '';
  const clean = rows.map((row) => row.map(printable));
  const widths = head.map((name, at) => Math.max(name.length, ...clean.map((row) => widthOf(row[at] ?? ''))));
  const total = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  if (surface.columns !== undefined && total > surface.columns) return blocks(head, clean, surface);
  const lines = clean.map((row) => line(row, widths));
  return [bold(line(head, widths), surface), ...lines].map((text) => `${text}\n`).join('');
}

/** Names and what they stand for, one per line. */
export function facts(rows: readonly (readonly [string, string])[], surface: Surface = terminal()): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${dim(name.padEnd(width), surface)}${GAP}${printable(text)}\n`).join('');
}

/** To the second, in UTC. */
export function timeOf(at: number | null): string {
  return at === null ? '-' : new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

const GAP = '  ';

function blocks(head: readonly string[], rows: readonly (readonly string[])[], surface: Surface): string {
  return rows
    .map(([name = '', ...cells]) => {
      const named = cells.map((cell, at) => [`  ${sentenceCase(head[at + 1] ?? '')}`, cell] as const);
      return `${bold(name, surface)}\n${facts(named, surface)}`;
    })
    .join('');
}

function line(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => cell + ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell))))
    .join(GAP)
    .trimEnd();
}

function widthOf(text: string): number {
  return Array.from(text).length;
}

function sentenceCase(text: string): string {
  return text.slice(0, 1) + text.slice(1).toLowerCase();
}

function bold(text: string, { colour }: Surface): string {
  return colour ? styleText('bold', text, { validateStream: false }) : text;
}

function dim(text: string, { colour }: Surface): string {
  return colour ? styleText('dim', text, { validateStream: false }) : text;
}

function terminal({ stdout, env } = process): Surface {
  if (!stdout.isTTY) return { colour: false };
  return { columns: stdout.columns, colour: stdout.hasColors() && !env['NO_COLOR'] };
}
