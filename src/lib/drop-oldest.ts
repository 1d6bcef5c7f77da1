/** Forgets the entries that were set first, until at most `limit` are left. */
export function dropOldest<K>(map: Map<K, unknown>, limit: number): void {
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    if (map.size <= limit) return;
  }
}
