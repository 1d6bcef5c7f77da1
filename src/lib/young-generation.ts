import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

const LOOK_MS = 100;

/**
 * Loading modules makes much garbage at once; for its sake V8 grows the memory for new objects to 64 MB, and keeps it.
 * Call this before anything is loaded: new objects then have 1 MB, which suits a process that makes few.
 */
export function keepYoungGenerationSmall(): void {
  growBy(1);
}

/**
 * For a process that is about to have much to do: the more room new objects have, the fewer of them still live when V8
 * looks through them, and the less it copies. Grows as the load needs it, to V8's own limit (64 MB) or to somewhat above
 * `enoughBytes`: V8 takes a limit at its start only.
 */
export function letYoungGenerationGrow(enoughBytes = Number.POSITIVE_INFINITY): void {
  growBy(2);
  if (enoughBytes === Number.POSITIVE_INFINITY) return;
  const timer = setInterval(() => {
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    if (space && space.space_size < enoughBytes) return;
    growBy(1);
    clearInterval(timer);
  }, LOOK_MS);
  timer.unref();
}

function growBy(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
