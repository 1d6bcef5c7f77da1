import { fullJitterMs } from '../../lib/backoff.ts';
import { hasCode, PosternError } from '../../lib/errors.ts';
import { pause } from '../../lib/wait.ts';
import type { LocalListener } from '../connect/listen.ts';
import { serve } from '../connect/serve.ts';
import { listResources, type ReachableResource, takesConnections } from '../resources.ts';
import type { PersonTunnel } from '../tunnel/of-person.ts';
import type { SignInGate } from '../tunnel/sign-in-gate.ts';
import type { RememberedPorts } from './remembered-ports.ts';

const LOOPBACK = '127.0.0.1';
/** So soon a new resource appears. */
const LOOK_AGAIN_MS = 30_000;
/** At the start, while the relay does not answer. */
const RETRY_BASE_MS = 1000;
const RETRY_CAP_MS = 10_000;
/** Ports tried for one resource. */
const MAX_ATTEMPTS = 100;

export interface KeepingPorts {
  readonly person: PersonTunnel;
  readonly gate: SignInGate;
  readonly ports: RememberedPorts;
  readonly signal: AbortSignal;
  readonly lookAgainMs?: number;
  /** Told once, at the start, when the relay does not answer and is waited for. */
  readonly waiting: (error: unknown) => void;
  /** Told at first and whenever resources came or went. */
  readonly changed: (held: readonly HeldPort[]) => void;
  /** Told of each connection that was not opened or broke. */
  readonly failed: (resource: string, error: unknown) => void;
}

export interface HeldPort {
  readonly resource: string;
  readonly protocol: string;
  readonly port: number;
  /** Another program has the remembered port. */
  readonly instead: boolean;
}

interface Held extends HeldPort {
  readonly listener: LocalListener;
}

/**
 * Listens for each tcp and ssh resource of a person until the signal aborts. Listeners outlive the sign-in: whoever
 * connects then waits for the next one.
 */
export async function keepPorts(keeping: KeepingPorts): Promise<void> {
  const { person, gate, signal, changed, lookAgainMs = LOOK_AGAIN_MS } = keeping;
  const held = new Map<string, Held>();
  // Rejects where there is no credential: that must not end what is held.
  const list = async () => listResources(person.credential(), signal);
  try {
    let listed: readonly ReachableResource[] | undefined = await whenRelayAnswers(() => gate.pass(list), keeping);
    for (let first = true; !signal.aborted; first = false) {
      const differs = listed ? await follow(held, listed, keeping) : false;
      if (differs || first) changed([...held.values()]);
      await pause(lookAgainMs, signal);
      // Signed out, or the relay is away: what is held stays, and nobody is asked to sign in for a look.
      listed = signal.aborted ? undefined : await list().catch(() => undefined);
    }
  } finally {
    for (const { listener } of held.values()) await listener[Symbol.asyncDispose]();
  }
}

/** The laptop may have started before its network did. undefined when stopped first. */
async function whenRelayAnswers<T>(work: () => Promise<T>, { signal, waiting }: KeepingPorts): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, 'relay_unreachable')) throw error;
      if (failures === 0) waiting(error);
      await pause(fullJitterMs(failures, RETRY_BASE_MS, RETRY_CAP_MS), signal);
    }
  }
  return undefined;
}

/** True when something came or went. */
async function follow(
  held: Map<string, Held>,
  listed: readonly ReachableResource[],
  keeping: KeepingPorts,
): Promise<boolean> {
  const wanted = new Map(listed.filter(takesConnections).map((each) => [each.name, each]));
  let differs = false;
  for (const [resource, { listener }] of held) {
    if (wanted.has(resource)) continue;
    await listener[Symbol.asyncDispose]();
    held.delete(resource);
    differs = true;
  }
  for (const [name, { protocol }] of wanted) {
    if (held.has(name)) continue;
    held.set(name, await hold(name, protocol, keeping));
    differs = true;
  }
  return differs;
}

async function hold(resource: string, protocol: string, keeping: KeepingPorts): Promise<Held> {
  const { person, gate, ports, signal, failed } = keeping;
  const opener = gate.guard(person.tunnel);
  const remembered = ports.has(resource);
  let attempts = 0;
  for (const port of ports.candidates(resource)) {
    try {
      const place = { kind: 'tcp', host: LOOPBACK, port } as const;
      const to = { resource };
      const listener = await serve(place, { to, opener, signal, failed: (error) => failed(resource, error) });
      ports.remember(resource, port);
      return { resource, protocol, port, instead: remembered && attempts > 0, listener };
    } catch (error) {
      attempts += 1;
      if (!isTaken(error) || attempts === MAX_ATTEMPTS) throw error;
    }
  }
  throw new PosternError('limit_reached', `There is no free port left for ${resource}.`);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}
