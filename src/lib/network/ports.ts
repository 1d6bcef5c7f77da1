/** Ports from `first` to `last`, both included. */
export interface Ports {
  readonly first: number;
  readonly last: number;
}

export const MAX_PORT = 65_535;

/** `22`, `5000-5999`, or `*` for all. */
export function parsePorts(text: string): Ports | undefined {
  if (text === '*') return { first: 1, last: MAX_PORT };
  const [, from, to = from] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const first = Number(from);
  const last = Number(to);
  return first <= last && last <= MAX_PORT ? { first, last } : undefined;
}

export function hasPort({ first, last }: Ports, port: number): boolean {
  return first <= port && port <= last;
}

/** Whether all of `inner` are ports of `outer`. */
export function containsPorts(outer: Ports, inner: Ports): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}
