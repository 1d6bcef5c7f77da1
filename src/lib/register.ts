/**
 * A Map for values that come and go all the time: what is deleted is let go of at once, while a Map keeps it until the
 * next full collection (see roster.ts).
 */
export class Register<Key, Value> {
  readonly #places = new Map<Key, { value: Value | undefined }>();

  get size(): number {
    return this.#places.size;
  }

  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value;
  }

  set(key: Key, value: Value): void {
    const place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, { value });
    else place.value = value;
  }

  delete(key: Key): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    place.value = undefined;
    this.#places.delete(key);
  }

  /** A copy: values may leave while it is walked through. */
  list(): Value[] {
    const values: Value[] = [];
    for (const { value } of this.#places.values()) if (value !== undefined) values.push(value);
    return values;
  }

  clear(): void {
    for (const key of this.#places.keys()) this.delete(key);
  }
}
