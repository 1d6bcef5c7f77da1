/**
 * Remembers at most `limit` values, in two halves: what is used moves to the newer one, and when that is full the older
 * one is forgotten. So a value that is used stays, and using it again changes nothing: a Map that is written to on each
 * look is rebuilt all the time (see roster.ts).
 */
export class Memo<T> {
  readonly #half: number;
  #newer = new Map<string, T>();
  #older = new Map<string, T>();

  constructor(limit: number) {
    this.#half = Math.ceil(limit / 2);
  }

  get(key: string): T | undefined {
    const value = this.#newer.get(key);
    if (value !== undefined) return value;
    const earlier = this.#older.get(key);
    if (earlier !== undefined) this.set(key, earlier);
    return earlier;
  }

  set(key: string, value: T): void {
    if (this.#newer.size >= this.#half && !this.#newer.has(key)) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }
}
