/**
 * An answer to one person is for them alone where its app says nothing about keeping it: what stands between people and
 * the relay must not hand it to the next (RFC 9111 §3, §5.2.2.7). What the app says is never changed. Flat name-value list.
 */
export function keepPrivate(headers: string[]): void {
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (name.length === 13 && name.toLowerCase() === 'cache-control') return;
  }
  headers.push('Cache-Control', 'private');
}
