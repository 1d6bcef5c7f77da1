import type { Loaded } from '../domain/audit-event/loaded.ts';
import type { AuditAppender } from '../domain/audit-event.ts';
import type { Clock } from '../lib/clock.ts';
import { sortableId } from '../lib/id.ts';

/** A record of what came into force, or of what was refused. */
export async function recordLoad(
  audit: AuditAppender,
  clock: Clock,
  load: Pick<Loaded, 'kind' | 'hash' | 'difference'> & { readonly previousHash: string | undefined },
): Promise<void> {
  const { previousHash, ...rest } = load;
  const at = clock();
  await audit.append({ ...rest, ...(previousHash === undefined ? {} : { previousHash }), id: sortableId(at), at });
}
