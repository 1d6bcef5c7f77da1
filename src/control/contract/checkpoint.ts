import { type Static, Type } from 'typebox';

/** GET /api/v1/audit/checkpoint */
export const AuditCheckpoint = Type.Object({
  checkpoint: Type.String({ description: 'C2SP tlog-checkpoint, a signed note: keep it as it is.' }),
  key: Type.String({
    description: 'Verifier of its signature: `<name>+<key id>+<base64>`. Keep it where the relay cannot change it.',
  }),
});
export type AuditCheckpoint = Static<typeof AuditCheckpoint>;
