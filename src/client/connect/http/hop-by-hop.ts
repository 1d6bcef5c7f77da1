/** Fields of one hop (RFC 9110 §7.6.1), which each hop writes anew. `Expect` is not among them: both ends of it are ours to pass on. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

export function isHopByHop(lower: string): boolean {
  return HOP_BY_HOP.has(lower);
}

/** Names that a Connection field lists, in lower case. */
export function connectionOptions(value: string | undefined): ReadonlySet<string> {
  return new Set((value ?? '').split(',').map((option) => option.trim().toLowerCase()));
}
