/** What the target answers; the bench compares byte for byte. */
export const SMALL_BODY = Buffer.from('Postern measures the way, not the target. '.repeat(25).slice(0, 1024));

/** Repeated until the asked-for length. */
export const DOWNLOAD_CHUNK = Buffer.from(Uint8Array.from({ length: 65_536 }, (_, at) => (at * 31 + (at >> 8)) & 0xff));

/** The target's answer to any message of its parent: requests seen since it started. */
export interface TargetCount {
  readonly served: number;
}
