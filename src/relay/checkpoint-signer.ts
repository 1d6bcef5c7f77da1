import { loadDataKey } from '../identity/keys/data-key.ts';
import { createSeal } from '../identity/keys/seal.ts';
import { PosternError } from '../lib/errors.ts';
import { encodeVerifier, type NoteSigner } from '../proof/note.ts';
import type { createCheckpointTable } from '../store/checkpoints.ts';
import { generateSigningKey, pemOf, signingKeyFromPem } from '../token/key.ts';

/** Names a log for everyone: host of the relay and id of the log (C2SP tlog-checkpoint: a URL without scheme). */
export function originOfLog(relayOrigin: string, logId: string): string {
  return `${new URL(relayOrigin).host}/audit/${logId}`;
}

/** The key that signs this log's checkpoints, for nothing else; made at the first start. */
export async function loadCheckpointSigner(
  table: ReturnType<typeof createCheckpointTable>,
  { dataDir, name, logId }: { readonly dataDir: string; readonly name: string; readonly logId: string },
): Promise<NoteSigner> {
  const seal = createSeal(loadDataKey(dataDir), 'checkpoint keys');
  let stored = await table.readKey();
  if (!stored) {
    const key = generateSigningKey();
    await table.addKey({ sealed: seal.seal(pemOf(key), logId), verifier: encodeVerifier({ name, ...key }) });
    stored = await table.readKey();
  }
  const pem = stored && seal.open(stored.sealed, logId);
  if (pem === undefined) {
    throw new PosternError(
      'config_invalid',
      'The key of the audit log in the database does not open with the data key of this data directory. Restore the right file from your backup.',
    );
  }
  return { name, ...signingKeyFromPem(pem) };
}
