import type { HostPort } from '../../config/values.ts';
import { Health } from './health.ts';
import { Meters } from './meters.ts';
import { serveMetrics } from './serve.ts';

export interface Instruments
  extends Pick<Meters, 'countAccesses' | 'countStrangers' | 'countResponses' | 'watch'>,
    AsyncDisposable {
  readonly health: Health;
  /** Where they can be read, if anywhere. */
  readonly url: string | undefined;
}

/** Counts and serves at `address`; without one, nothing is counted and nothing costs. */
export async function openInstruments(address: HostPort | undefined): Promise<Instruments> {
  const health = new Health();
  if (!address)
    return {
      health,
      url: undefined,
      countAccesses: (audit) => audit,
      countStrangers: (strangers) => strangers,
      countResponses: (_part, listener) => listener,
      watch: () => {},
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  const meters = new Meters();
  const server = await serveMetrics(address, meters, health);
  return {
    health,
    url: server.url,
    countAccesses: (audit) => meters.countAccesses(audit),
    countStrangers: (strangers) => meters.countStrangers(strangers),
    countResponses: (part, listener) => meters.countResponses(part, listener),
    watch: (sources) => meters.watch(sources),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
