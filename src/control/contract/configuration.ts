import { type Static, Type } from 'typebox';
import { Whole } from './parts.ts';

/** GET /api/v1/configuration */
export const ConfigurationState = Type.Object({
  relay: Type.String(),
  hash: Type.String({ description: 'As in the record `configuration.loaded`.' }),
  loadedAt: Whole,
  /** Complete, with defaults; each secret is the text `[secret]`. */
  effective: Type.Unsafe<object>(Type.Object({}, { additionalProperties: true })),
});
export type ConfigurationState = Static<typeof ConfigurationState>;
