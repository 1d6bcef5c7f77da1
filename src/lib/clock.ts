/** Wall-clock milliseconds since the epoch; a parameter wherever order or expiry matters, so that a failure can be replayed. */
export type Clock = () => number;

export const systemClock: Clock = Date.now;
