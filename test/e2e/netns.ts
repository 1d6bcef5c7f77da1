import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { type SideProgram, startSideProgram } from './side-program.ts';

const run = promisify(execFile);

/** A network of its own that can only dial out: what stands in it cannot be reached, as behind a firewall. */
export interface Namespace extends AsyncDisposable {
  readonly name: string;
  /** Put before a command line to run it inside. */
  readonly prefix: readonly string[];
  /** The machine's own address on the only link; servers outside listen there. */
  readonly outside: string;
  /** The address inside, at which nothing answers. */
  readonly inside: string;
  /** Makes `127.0.0.1:<port>` inside lead to the same port outside, by dialling out. */
  leadOut(port: number): Promise<void>;
}

let count = 0;

export async function createNamespace(): Promise<Namespace> {
  await using undo = new AsyncDisposableStack();
  count += 1;
  const name = `pt${process.pid}n${count}`;
  const link = `v${process.pid}n${count}`;
  const net = `10.${randomInt(64, 250)}.${randomInt(0, 256)}`;
  const outside = `${net}.1`;
  const inside = `${net}.2`;

  await ip('netns', 'add', name);
  // Deleting the namespace deletes its end of the link, and with it the other one.
  undo.defer(() => ip('netns', 'del', name));
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', name);
  await ip('addr', 'add', `${outside}/30`, 'dev', link);
  await ip('link', 'set', link, 'up');
  await ip('-n', name, 'addr', 'add', `${inside}/30`, 'dev', 'uplink');
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  await ip('-n', name, 'link', 'set', 'uplink', 'up');
  await ip('-n', name, 'route', 'add', 'default', 'via', outside);
  const prefix = ['ip', 'netns', 'exec', name];
  await run('ip', ['netns', 'exec', name, 'nft', OUTBOUND_ONLY]);

  const held = undo.move();
  const sidePrograms: SideProgram[] = [];
  return {
    name,
    prefix,
    outside,
    inside,
    async leadOut(port) {
      sidePrograms.push(
        await startSideProgram('forward.ts', [String(port), outside, '127.0.0.1']),
        await startSideProgram('forward.ts', [String(port), '127.0.0.1', outside], prefix),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const sideProgram of sidePrograms) await sideProgram[Symbol.asyncDispose]();
      await held.disposeAsync();
    },
  };
}

/** Answers to what was dialled from inside come in; anything that begins outside is turned away at once. */
const OUTBOUND_ONLY = `table inet postern {
  chain input {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    ct state established,related accept
    reject
  }
}`;

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}
