import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Type from 'typebox';
import { parser } from '../../lib/schema.ts';
import { configDirectory } from '../config-directory.ts';
import { readTextFile, writePrivateFile } from '../private-file.ts';

/** Below the ports that systems give out by themselves, so that these are rarely taken. */
const FIRST = 20_000;
const COUNT = 10_000;

const StoredPorts = Type.Record(Type.String(), Type.Integer({ minimum: 1, maximum: 65_535 }));

/** Which local port is whose, for a profile: what programs are set up with stays right. */
export class RememberedPorts {
  readonly #path: string;
  /** A map, since a resource may be called `constructor`. */
  readonly #ports: Map<string, number>;

  constructor(profile: string, env: NodeJS.ProcessEnv) {
    this.#path = join(upDirectory(env), `${profile}.json`);
    this.#ports = readPorts(this.#path);
  }

  /** Ports to try, the remembered one first. No other resource's among them. */
  *candidates(resource: string): Generator<number> {
    const own = this.#ports.get(resource);
    if (own !== undefined) yield own;
    const taken = new Set(this.#ports.values());
    // From the name, so that it is the same on a person's other machines, mostly.
    const start = createHash('sha256').update(resource).digest().readUInt32BE(0);
    for (let at = 0; at < COUNT; at += 1) {
      const port = FIRST + ((start + at) % COUNT);
      if (!taken.has(port)) yield port;
    }
  }

  has(resource: string): boolean {
    return this.#ports.has(resource);
  }

  /** The first port that a resource got stays its own, also when another program has it just now. */
  remember(resource: string, port: number): void {
    if (this.#ports.has(resource)) return;
    this.#ports.set(resource, port);
    writePrivateFile(this.#path, `${JSON.stringify(Object.fromEntries(this.#ports), null, 2)}\n`);
  }
}

export function upDirectory(env: NodeJS.ProcessEnv): string {
  return join(configDirectory(env), 'up');
}

const parsePorts = parser(StoredPorts, 'The remembered ports', 'request_invalid');

/** A damaged file is as none: the ports are chosen anew. */
function readPorts(path: string): Map<string, number> {
  const text = readTextFile(path);
  try {
    return new Map(Object.entries(text === undefined ? {} : parsePorts(JSON.parse(text))));
  } catch {
    return new Map();
  }
}
