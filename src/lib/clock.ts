/** Wall-clock milliseconds since the epoch; a parameter wherever order or expiry matters, so that a failure can be replayed. */
export type Clock = () => number;

export const systemClock: Clock = Date.now;

/** Milliseconds since some moment, for how long something takes: nobody sets it forward or back. Never 0. */
export type Elapsed = () => number;

export const systemElapsed: Elapsed = () => performance.now();
