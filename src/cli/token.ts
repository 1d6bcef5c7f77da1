import { type Command, InvalidArgumentError } from 'commander';
import { loadCredential } from '../client/credentials.ts';
import { issueResourceToken } from '../client/resource-token.ts';
import { findResource } from '../client/resources.ts';
import { parseDurationMs } from '../config/values.ts';
import { type DataOptions, dataOptions } from './at-relay.ts';
import { printOne } from './output.ts';
import { stopSignal } from './until-signal.ts';

/** What the relay takes. */
const SHORTEST_MS = 60_000;

interface TokenOptions extends DataOptions {
  /** Milliseconds. */
  for?: number;
}

export function addTokenCommand(program: Command): void {
  dataOptions(program.command('token'))
    .summary('a token for one resource')
    .description(
      'Prints a token with which a program acts as you at one http resource, until your sign-in ends. It goes into the header Postern-Token.',
    )
    .option('--for <duration>', 'let it end sooner: 10m, 8h; at least 1m', parseLife)
    .argument('<resource>', 'its name, as `postern ls` shows it')
    .action(async (name: string, { output, for: lifeMs, ...at }: TokenOptions) => {
      const credential = loadCredential(at);
      const signal = stopSignal();
      const resource = await findResource(credential, name, signal);
      const { token, expiresAt, audience } = await issueResourceToken(credential, resource, signal, lifeMs);
      const text = token.reveal();
      printOne({ resource: name, token: text, expiresAt, audience }, output, () => `${text}\n`);
    });
}

function parseLife(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < SHORTEST_MS) throw new InvalidArgumentError('A time like 10m or 8h, at least 1m.');
  return ms;
}
