/** A person in a browser waits for a page, not a program for data: by Sec-Fetch-Mode, and by Accept where that is not sent. */
export function asksForPage(fetchMode: string | undefined, accept: string | undefined): boolean {
  return fetchMode === undefined ? (accept?.includes('text/html') ?? false) : fetchMode === 'navigate';
}
