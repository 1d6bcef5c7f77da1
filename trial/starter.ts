/** How often we look whether npm is still there. */
const INTERVAL_MS = 500;

/**
 * Under npm, the end of npm is the end of us: a signal that npm could not pass on (kill -9) must leave nothing behind.
 * Started directly, a process may well outlive the shell that started it.
 */
export function endWithStarter(stop: AbortController): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const starter = process.ppid;
  setInterval(() => {
    if (process.ppid !== starter) stop.abort();
  }, INTERVAL_MS).unref();
}
