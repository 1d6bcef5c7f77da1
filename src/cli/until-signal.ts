/** How long an orderly end may take, where the command does not say. */
const LIMIT_MS = 10_000;

let received: number | undefined;

/** What a shell expects of a command that a signal has stopped; undefined: none came. */
export function signalExitCode(): number | undefined {
  return received;
}

/**
 * Aborts on the first SIGINT or SIGTERM. A second one, or an orderly end that takes longer than the limit, ends the
 * process at once with the code a shell expects.
 */
export function stopSignal(limitMs = LIMIT_MS): AbortSignal {
  const stop = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code);
      received = code;
      stop.abort();
      setTimeout(() => {
        process.stderr.write(`Stopping took longer than ${limitMs / 1000} s; ending now.\n`);
        process.exit(1);
      }, limitMs).unref();
    });
  }
  return stop.signal;
}
