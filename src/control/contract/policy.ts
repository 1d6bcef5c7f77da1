import { type Static, Type } from 'typebox';
import { Nullable, Whole } from './parts.ts';

/** GET /api/v1/policy */
export const PolicyState = Type.Object({
  version: Type.String({ description: 'Hash of rules, local groups and function set; decisions name it.' }),
  loadedAt: Type.Integer({ description: 'When this relay put it in force.' }),
  rules: Whole,
  warnings: Type.Array(Type.String(), {
    description: '`file:line:column: text` for what is allowed but probably not meant.',
  }),
  /** Set while the files hold something that cannot be used, so that an older version stays in force. */
  refusal: Nullable(Type.Object({ at: Whole, hash: Type.String(), problems: Type.Array(Type.String()) })),
});
export type PolicyState = Static<typeof PolicyState>;

const Rule = Type.Object({
  id: Type.String(),
  effect: Type.Union([Type.Literal('allow'), Type.Literal('deny')]),
  who: Type.Array(Type.String()),
  what: Type.Array(Type.String()),
  methods: Nullable(Type.Array(Type.String()), 'null: all.'),
  paths: Nullable(Type.Array(Type.String())),
  destinations: Nullable(Type.Array(Type.String()), 'Of rules for networks; null: all that their agents list.'),
  message: Nullable(Type.String()),
});

/** GET /api/v1/policy/rules: as written, in the order of the files. */
export const PolicyRules = Type.Object({
  version: Type.String(),
  rules: Type.Array(Rule),
  groups: Type.Array(Type.Object({ name: Type.String(), members: Type.Array(Type.String()) })),
});
export type PolicyRules = Static<typeof PolicyRules>;
