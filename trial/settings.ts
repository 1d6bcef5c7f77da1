import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the environment says about the trial. */
export interface Settings {
  /** POSTERN_PORT: where people reach the relay; the provider is beside it. */
  readonly port: number;
  /** POSTERN_DATA_DIR: everything that is kept. */
  readonly directory: string;
  /** POSTERN_DATABASE_URL: that PostgreSQL instead of the embedded database. */
  readonly databaseUrl: string | undefined;
  /** Origin of the relay. */
  readonly relay: string;
  /** `SSH_CONNECTION`: somebody looks at this from another machine. */
  readonly ssh: string | undefined;
}

export class TrialProblem extends Error {}

export function readSettings(env = process.env): Settings {
  const port = Number(env['POSTERN_PORT'] || '8080');
  if (!Number.isInteger(port) || port < 1 || port > 65_000)
    throw new TrialProblem(`POSTERN_PORT=${env['POSTERN_PORT']} is not a port number (1 to 65000).`);
  return {
    port,
    directory: resolve(env['POSTERN_DATA_DIR'] || fileURLToPath(new URL('../.postern', import.meta.url))),
    databaseUrl: env['POSTERN_DATABASE_URL'] || undefined,
    relay: port === 80 ? 'http://postern.localhost' : `http://postern.localhost:${port}`,
    ssh: env['SSH_CONNECTION'] || undefined,
  };
}

/** Origin of a resource of this name. */
export function originOf({ relay }: Pick<Settings, 'relay'>, resource: string): string {
  return relay.replace('//postern.', `//${resource}.postern.`);
}
