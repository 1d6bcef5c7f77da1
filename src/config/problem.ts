import { type ErrorCode, PosternError } from '../lib/errors.ts';

/** A position in a file that a person wrote. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  /** What is wrong and, where it can be said, what to write instead. */
  readonly text: string;
}

/** More than this is noise: the rest is counted, not kept. */
const MAX_PROBLEMS = 100;

/** Gathers everything that is wrong with a set of files, so that a person fixes them in one round. */
export class Problems {
  readonly #list: Problem[] = [];
  #left = 0;

  add(place: Place, text: string): void {
    if (this.#list.length < MAX_PROBLEMS)
      this.#list.push({ file: place.file, line: place.line, column: place.column, text });
    else this.#left += 1;
  }

  get count(): number {
    return this.#list.length + this.#left;
  }

  /** `file:line:column: text`, in the order of the files' text. */
  lines(): string[] {
    const sorted = this.#list.toSorted(
      (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
    );
    const lines = sorted.map((each) => `${each.file}:${each.line}:${each.column}: ${each.text}`);
    if (this.#left > 0) lines.push(`… and ${this.#left} more`);
    return lines;
  }

  /** Throws one PosternError with all lines if there is any problem. */
  throwIfAny(code: ErrorCode): void {
    if (this.count > 0) throw new PosternError(code, this.lines().join('\n'));
  }
}

/** ` (did you mean "x"?)` for the nearest of the known words, or '' when none is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const limit = word.length <= 2 ? 0 : word.length <= 3 ? 1 : word.length <= 7 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? '' : ` (did you mean "${best}"?)`;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
