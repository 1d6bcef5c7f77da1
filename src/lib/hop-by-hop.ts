/**
 * Fields of one hop, in lower case: whoever stands between two ends writes them anew (RFC 9110 §7.6.1). Without
 * `Connection`, which names more of them.
 */
export const HOP_BY_HOP: readonly string[] = [
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
];
