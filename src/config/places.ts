import type { Place } from './problem.ts';

/** Keys and, in lists, positions from 0. */
export type Path = readonly (string | number)[];

/** Where values and keys stand, by path. */
export class Places {
  readonly #values = new Map<string, Place>();
  readonly #keys = new Map<string, Place>();

  setValue(path: Path, place: Place): void {
    this.#values.set(JSON.stringify(path), place);
  }

  setKey(path: Path, place: Place): void {
    this.#keys.set(JSON.stringify(path), place);
  }

  value(path: Path): Place {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#values.get(JSON.stringify(path.slice(0, length)));
      if (place) return place;
    }
    return { file: '', line: 1, column: 1 };
  }

  key(path: Path): Place {
    return this.#keys.get(JSON.stringify(path)) ?? this.value(path);
  }
}
