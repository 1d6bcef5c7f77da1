import type { AuditLogReader } from '../control/ports.ts';
import { PosternError } from '../lib/errors.ts';
import type { Store } from '../store/open.ts';

export function createAuditReader(_store: Store, _relayId: string): AuditLogReader {
  return {
    search: () => Promise.reject(new PosternError('database_unavailable', 'The log cannot be searched yet.')),
    find: () => Promise.resolve(undefined),
  };
}
