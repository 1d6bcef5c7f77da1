import { type Static, Type } from 'typebox';
import { Nullable } from './parts.ts';

export const LauncherResource = Type.Object({
  name: Type.String(),
  title: Type.String(),
  description: Nullable(Type.String()),
  url: Type.String(),
  tags: Type.Array(Type.String()),
});
export type LauncherResource = Static<typeof LauncherResource>;

/** GET /api/v1/resources: what the policy may let me reach, by title. */
export const ResourceList = Type.Object({ resources: Type.Array(LauncherResource) });
export type ResourceList = Static<typeof ResourceList>;
