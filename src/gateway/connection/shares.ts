/** How many of something each has, up to a bound. */
export class Shares {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** False, and nothing is taken, where this one has as many as it may. */
  take(whose: string): boolean {
    const taken = this.#taken.get(whose) ?? 0;
    if (taken >= this.#most) return false;
    this.#taken.set(whose, taken + 1);
    return true;
  }

  giveBack(whose: string): void {
    const left = (this.#taken.get(whose) ?? 0) - 1;
    if (left > 0) this.#taken.set(whose, left);
    else this.#taken.delete(whose);
  }
}
