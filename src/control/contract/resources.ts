import { type Static, Type } from 'typebox';
import { Nullable } from './parts.ts';

export const LauncherResource = Type.Object({
  name: Type.String(),
  protocol: Type.Union([Type.Literal('http'), Type.Literal('tcp'), Type.Literal('ssh'), Type.Literal('network')]),
  title: Type.String(),
  description: Nullable(Type.String()),
  url: Nullable(Type.String(), 'Where a web app is; of others nothing: postern connect.'),
  leaseOnly: Type.Boolean({ description: 'The policy lets me there by a leased port alone.' }),
  tags: Type.Array(Type.String()),
  owner: Nullable(Type.String(), 'Whom to ask about it.'),
});
export type LauncherResource = Static<typeof LauncherResource>;

/** GET /api/v1/resources: what the policy may let me reach, by title. */
export const ResourceList = Type.Object({ resources: Type.Array(LauncherResource) });
export type ResourceList = Static<typeof ResourceList>;
