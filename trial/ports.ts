import { createServer } from 'node:net';
import { kept, replace } from './kept.ts';
import { type Settings, TrialProblem } from './settings.ts';

/** How far above the relay's port the provider may be put when the next one is taken. */
const NEIGHBOURS = 20;

/** Ends with a clear message when the relay's port is taken. */
export async function requireRelayPort({ port }: Settings): Promise<void> {
  if (await isFree(port)) return;
  throw new TrialProblem(
    `Port ${port} is taken by another program. Choose another one and start again, for example:\n\n  POSTERN_PORT=${port + 1000} npm start`,
  );
}

/**
 * The provider's port: the one after the relay's, or the next that is free. It is part of the issuer, and so of who
 * everybody is; so the choice is kept, and a later start does not move it.
 */
export async function chooseProviderPort({ port, directory }: Settings): Promise<number> {
  const file = `${directory}/provider/ports.json`;
  const chosen = JSON.parse(kept(file, () => '{}')) as Record<string, number>;
  const before = chosen[port];
  if (before !== undefined) {
    if (await isFree(before)) return before;
    throw new TrialProblem(
      `Port ${before}, where the demo provider was the last time, is taken by another program. ` +
        `End that program, or start elsewhere: POSTERN_PORT=${port + 1000} npm start`,
    );
  }
  for (let candidate = port + 1; candidate <= port + NEIGHBOURS; candidate += 1) {
    if (!(await isFree(candidate))) continue;
    replace(file, JSON.stringify({ ...chosen, [port]: candidate }));
    return candidate;
  }
  throw new TrialProblem(
    `No port from ${port + 1} to ${port + NEIGHBOURS} is free for the demo provider. Start elsewhere: POSTERN_PORT=${port + 1000} npm start`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)));
  });
}
