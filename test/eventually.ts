import { pause } from '../src/lib/wait.ts';

const LOOK_MS = 20;
/** For ever, on any machine. */
const LIMIT_MS = 60_000;

type Found<T> = Exclude<T, null | undefined | false>;

/** Until `look` finds something: for what tells nobody when it happens. Throws what `otherwise` says when it never does. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  otherwise: () => string = () => 'It did not come.',
): Promise<Found<T>> {
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as Found<T>;
    if (performance.now() > limit) throw new Error(otherwise());
    await pause(LOOK_MS);
  }
}
