import { differenceOf } from '../config/difference.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import type { AuditAppender } from '../domain/audit-event.ts';
import { systemClock as clock } from '../lib/clock.ts';
import type { LoadedVersions } from '../store/loaded-versions.ts';
import { recordLoad } from './load-record.ts';

/** Records the configuration this relay starts with, and how it differs from the one before. */
export async function recordConfiguration(
  config: RelayConfig,
  audit: AuditAppender,
  versions: LoadedVersions,
): Promise<void> {
  const previous = await versions.latest('configuration');
  const { hash } = config;
  const body = JSON.parse(JSON.stringify(config)) as object;
  const difference = differenceOf(previous?.body, body);
  await recordLoad(audit, clock, { kind: 'configuration.loaded', hash, previousHash: previous?.hash, difference });
  await versions.save('configuration', { hash, body }, clock());
}
