import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Half of what V8 calls new space. */
const BUSY_BYTES = 8 * 1024 * 1024;
const LOOK_MS = 100;

/**
 * Loading modules makes much garbage at once; for its sake V8 grows the memory for new objects to 64 MB and more, and
 * keeps it. Call this before anything is loaded: new objects then have 1 MB, which suits a process that makes few.
 */
export function keepYoungGenerationSmall(): void {
  growBy(1);
}

/** For a process that is about to have much to do: it grows to 8 MB or 16. V8 takes a limit at its start only. */
export function letYoungGenerationGrow(): void {
  growBy(2);
  const timer = setInterval(() => {
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    if (space && space.space_size < 2 * BUSY_BYTES) return;
    growBy(1);
    clearInterval(timer);
  }, LOOK_MS);
  timer.unref();
}

function growBy(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
