/** How long an orderly end may take before a second signal is not even needed. */
const LIMIT_MS = 10_000;

/**
 * Aborts on the first SIGINT or SIGTERM. A second one, or an orderly end that takes longer than the limit, ends the
 * process at once with the code a shell expects.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code);
      stop.abort();
      setTimeout(() => {
        process.stderr.write(`Stopping took longer than ${LIMIT_MS / 1000} s; ending now.\n`);
        process.exit(1);
      }, LIMIT_MS).unref();
    });
  }
  return stop.signal;
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
