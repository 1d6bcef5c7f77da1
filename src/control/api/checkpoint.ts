import type { FastifyInstance } from 'fastify';
import { AuditCheckpoint } from '../contract/checkpoint.ts';
import { READERS } from '../permission.ts';
import type { ControlDeps } from '../ports.ts';

/** What the audit log is now, signed: whoever keeps it can tell later that nothing before it was changed or cut off. */
export function serveCheckpoint(app: FastifyInstance, deps: ControlDeps): void {
  app.get(
    '/api/v1/audit/checkpoint',
    {
      config: { permission: READERS, summary: 'A signed checkpoint of the audit log' },
      schema: { response: { 200: AuditCheckpoint } },
    },
    async (): Promise<AuditCheckpoint> => {
      return deps.auditLog.checkpoint();
    },
  );
}
