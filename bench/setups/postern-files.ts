import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface PosternPlan {
  readonly directory: string;
  readonly relayPort: number;
  readonly relayOrigin: string;
  readonly issuer: string;
  readonly clientSecret: string;
  readonly targetPort: number;
  /** Of a TCP server to connect to besides. */
  readonly streamPort?: number | undefined;
  /** Absent: the embedded database. */
  readonly databaseUrl: string | undefined;
}

export const RESOURCE = 'bench';
export const STREAM_RESOURCE = 'stream';

/** Writes what an operator would write; gives the paths. */
export async function writePosternFiles(plan: PosternPlan): Promise<{ relay: string; agent: string; token: string }> {
  const at = (name: string) => join(plan.directory, name);
  await mkdir(at('policies'));
  await writeFile(at('client-secret'), plan.clientSecret, { mode: 0o600 });
  await writeFile(at('postern.yaml'), relayFile(plan), { mode: 0o600 });
  await writeFile(at('agent.yaml'), agentFile(plan));
  await writeFile(at('policies/bench.yaml'), policyFile());
  return { relay: at('postern.yaml'), agent: at('agent.yaml'), token: at('agent.token') };
}

function relayFile(plan: PosternPlan): string {
  return `relay:
  url: ${plan.relayOrigin}
  listen: 127.0.0.1:${plan.relayPort}
dataDir: ./data
${plan.databaseUrl === undefined ? '' : `database: { url: "${plan.databaseUrl}" }\n`}provider:
  issuer: ${plan.issuer}
  clientId: postern
  clientSecretFile: ./client-secret
roles:
  admin: { groups: [security] }
  auditor: { groups: [audit] }
policy: { directory: ./policies }
# All load comes from one person.
sessions: { requestsPerSecond: 1000000 }
agents:
  bench: { enrollmentTokenFile: ./agent.token }
resources:
  ${RESOURCE}: { agent: bench, title: Bench, headers: { Remote-User: email } }
  ${STREAM_RESOURCE}: { agent: bench, protocol: tcp }
${OTHERS.map((name) => `  ${name}: { agent: bench }\n`).join('')}`;
}

function agentFile(plan: PosternPlan): string {
  return `relay: ${plan.relayOrigin}
name: bench
enrollmentTokenFile: ./agent.token
stateDir: ./agent
targets:
  ${RESOURCE}: http://127.0.0.1:${plan.targetPort}
${plan.streamPort === undefined ? '' : `  ${STREAM_RESOURCE}: 127.0.0.1:${plan.streamPort}\n`}`;
}

/** A small company: the measured rule is one of many, with methods, and a deny by path beside it. */
const OTHERS = Array.from({ length: 20 }, (_, at) => `app-${at}`);

function policyFile(): string {
  const others = OTHERS.map(
    (name) => `  - { id: ${name}, effect: allow, who: [provider:sales], what: [resource:${name}] }\n`,
  );
  return `rules:
  - { id: employees-read, effect: allow, who: [provider:employees], what: [resource:${RESOURCE}], methods: [GET, HEAD] }
  - { id: employees-connect, effect: allow, who: [provider:employees], what: [resource:${STREAM_RESOURCE}] }
  - { id: nobody-administers, effect: deny, who: [anyone-signed-in], what: [resource:${RESOURCE}], paths: [/admin/**] }
${others.join('')}`;
}
