import { Checkpoints } from '../audit/checkpoints.ts';
import { openLog } from '../audit/open-log.ts';
import { StrangerCounter } from '../audit/strangers.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import { systemClock as clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { AuditLogTable } from '../store/audit-log.ts';
import { createCheckpointTable } from '../store/checkpoints.ts';
import type { Store } from '../store/open.ts';
import { loadCheckpointSigner, originOfLog } from './checkpoint-signer.ts';

export interface AuditSurroundings {
  readonly config: RelayConfig;
  readonly store: Store;
  readonly log: Logger;
}

/** This relay's audit log with its checkpoints, and the counter of strangers that writes to it. */
export async function assembleAudit({ config, store, log }: AuditSurroundings) {
  await using undo = new AsyncDisposableStack();
  const { origin: relayOrigin, id: relayId } = config.relay;
  const kept = createCheckpointTable(store, relayId);
  const name = originOfLog(relayOrigin, relayId);
  const signer = await loadCheckpointSigner(kept, { dataDir: config.dataDir, name, logId: relayId });
  // Disposed after the log, so that the last one covers its last record.
  const checkpoints = undo.use(new Checkpoints({ store: kept, signer, log, clock }));
  const audit = undo.use(await openLog(new AuditLogTable(store), relayId, log));
  checkpoints.follow(() => audit.state());
  const strangers = undo.use(new StrangerCounter(audit, log));
  const parts = undo.move();
  return { audit, checkpoints, strangers, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
