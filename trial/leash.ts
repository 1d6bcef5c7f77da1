// Loaded before a program (`node --import`) so that it never outlives whoever started it, not even a kill -9: the
// starter holds the other end of stdin, and the system closes that end when the starter is gone.
import { isMainThread } from 'node:worker_threads';

/** An orderly end may take this long before the program is ended anyway. */
const LIMIT_MS = 5000;

if (isMainThread) {
  process.stdin.on('error', end).on('close', end).resume();
  // The leash alone keeps no program running. (A pipe is a socket here, which the declared type does not say.)
  (process.stdin as unknown as { unref?: () => void }).unref?.();
}

function end(): void {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), LIMIT_MS).unref();
}
