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
