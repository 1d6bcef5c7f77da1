import { type Verification, verifyLog } from '../audit/verify.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import { PosternError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { type Checkpoint, openCheckpoint } from '../proof/checkpoint.ts';
import { type NoteVerifier, parseVerifier } from '../proof/note.ts';
import { AuditLogReader } from '../store/audit-read.ts';
import { createCheckpointTable } from '../store/checkpoints.ts';
import { openStore } from '../store/open.ts';
import { originOfLog } from './checkpoint-signer.ts';

/** Stored checkpoints of one read. */
const PAGE = 1_000;

export interface VerifyAuditOptions {
  /** Default: the log of the configured relay. */
  readonly logId?: string;
  /** Checkpoints (signed notes) kept elsewhere. */
  readonly notes: readonly string[];
  /** Verifier of their signatures, kept elsewhere; default: the one in the database. */
  readonly key?: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface AuditVerification extends Verification {
  /** Checkpoints that the log was compared with: given ones, and those it keeps itself. */
  readonly checkpoints: { readonly given: number; readonly kept: number };
  /** Verifier of checkpoints, as given or as the database has it. */
  readonly key: string | undefined;
}

/**
 * Reads the whole log and compares it with checkpoints. On PostgreSQL beside a running relay; the embedded database is
 * its relay's alone (`database_unavailable`). Rejects with `request_invalid` for a note that nobody known signed.
 */
export async function verifyAudit(config: RelayConfig, options: VerifyAuditOptions): Promise<AuditVerification> {
  const { logId = config.relay.id, log, signal } = options;
  const { databaseUrl, dataDir } = config;
  await using store = await openStore({ ...(databaseUrl ? { databaseUrl } : {}), dataDir, log, readOnly: true });
  const table = createCheckpointTable(store, logId);
  const origin = originOfLog(config.relay.origin, logId);

  const keyText = options.key ?? (await table.readKey())?.verifier;
  const verifier = keyText === undefined ? undefined : parseVerifier(keyText);
  if (options.key !== undefined && !verifier) {
    throw new PosternError('request_invalid', 'The key is not a verifier: <name>+<id>+<base64>.');
  }
  const given = options.notes.map((note) => openOwn(note, origin, verifier));
  const kept: Checkpoint[] = [];
  const invalid: number[] = [];
  for (let after = -1; ; ) {
    const page = await table.list(after, PAGE);
    for (const { size, note } of page) {
      const opened = verifier && openCheckpoint(note, verifier.name, [verifier])?.checkpoint;
      if (opened?.size === size) kept.push(opened);
      else invalid.push(size);
      after = size;
    }
    if (page.length < PAGE) break;
  }
  const verified = await verifyLog(new AuditLogReader(store), logId, {
    signal,
    checkpoints: [...given, ...kept],
    badCheckpoints: invalid,
  });
  return { ...verified, checkpoints: { given: given.length, kept: kept.length }, key: keyText };
}

function openOwn(note: string, origin: string, verifier: NoteVerifier | undefined): Checkpoint {
  const opened = verifier && openCheckpoint(note, verifier.name, [verifier]);
  if (opened) return opened.checkpoint;
  throw new PosternError(
    'request_invalid',
    `The checkpoint is not one of ${verifier?.name ?? origin}, or its signature is wrong. Pass the key that belongs to it with --key.`,
  );
}
