import type { TSchema } from 'typebox';
import { AgentFileSchema } from '../config/agent-config.ts';
import { RelayFileSchema } from '../config/relay-schema.ts';
import { PolicyFileSchema } from '../policy/policy-schema.ts';

export const FILE_KINDS = ['relay', 'agent', 'policy'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

const SCHEMAS: Readonly<Record<FileKind, { readonly title: string; readonly schema: TSchema }>> = {
  relay: { title: 'postern.yaml: the relay', schema: RelayFileSchema },
  agent: { title: 'agent.yaml: an agent', schema: AgentFileSchema },
  policy: { title: 'policies/*.yaml: who may reach what', schema: PolicyFileSchema },
};

/** The JSON Schema of a file, for editors: the same one by which Postern reads it. */
export function jsonSchemaText(kind: FileKind): string {
  const { title, schema } = SCHEMAS[kind];
  return `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema }, null, 2)}\n`;
}
