import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Apps, protocolOf } from './apps.ts';
import { replace } from './kept.ts';
import type { Settings } from './settings.ts';

export interface Files {
  readonly relayConfig: string;
  readonly agentConfig: string;
  /** Rules, for the newcomer to edit. */
  readonly policies: string;
}

export interface Targets {
  readonly wiki: string;
  readonly metrics: string;
  readonly echo: string;
}

/** Writes the configuration of relay and agent as a real installation has it; rules are copied once and then the newcomer's. */
export function writeFiles(settings: Settings, issuer: string, targets: Targets, apps: Apps): Files {
  const { directory, relay, port, databaseUrl } = settings;
  const files = {
    relayConfig: `${directory}/postern.yaml`,
    agentConfig: `${directory}/agent.yaml`,
    policies: `${directory}/policies`,
  };
  if (!existsSync(files.policies))
    cpSync(fileURLToPath(new URL('../policies', import.meta.url)), files.policies, {
      recursive: true,
      // Not the tests of these rules: they hold what the newcomer is about to change.
      filter: (source) => !/\.\w+$/.test(source) || /(?<!\.test)\.yaml$/.test(source),
    });
  for (const name of Object.keys(apps)) writeRule(files.policies, name);
  if (databaseUrl !== undefined) replace(`${directory}/database-url`, databaseUrl);

  replace(
    files.relayConfig,
    `${HEADER}${stringify({
      relay: { url: relay, listen: `127.0.0.1:${port}`, contact: 'sam@example.com', drain: '1s' },
      dataDir: './relay',
      ...(databaseUrl === undefined ? {} : { database: { urlFile: './database-url' } }),
      provider: { issuer, clientId: 'postern', clientSecretFile: './client-secret' },
      roles: { admin: { groups: ['security'] }, security: { groups: ['security'] }, auditor: { groups: ['audit'] } },
      policy: { directory: './policies' },
      agents: { office: { enrollmentTokenFile: './office.token' } },
      resources: {
        wiki: {
          agent: 'office',
          title: 'Wiki',
          description: 'What everybody should know.',
          tags: ['internal'],
          owner: 'bob@example.com',
        },
        metrics: {
          agent: 'office',
          title: 'Metrics',
          description: 'Live numbers, for engineering.',
          tags: ['internal', 'engineering'],
          owner: 'alice@example.com',
        },
        echo: {
          agent: 'office',
          title: 'Echo',
          description: 'A WebSocket, and what an app gets to see of you.',
          tags: ['internal'],
          websocket: true,
          headers: { 'Remote-User': 'email' },
        },
        ...Object.fromEntries(Object.entries(apps).map(([name, address]) => [name, ownApp(name, address)])),
      },
    })}`,
  );
  replace(
    files.agentConfig,
    `${HEADER}${stringify({
      relay,
      name: 'office',
      enrollmentTokenFile: './office.token',
      stateDir: './agent',
      targets: { ...targets, ...apps },
    })}`,
  );
  return files;
}

const HEADER =
  '# Written by `npm start`, anew at each start: copy it and make it yours. Rules in policies/ are never overwritten.\n';

function ownApp(name: string, address: string): object {
  const protocol = protocolOf(address);
  const named = { agent: 'office', title: name };
  return protocol === 'http' ? { ...named, websocket: true, paths: 'lenient' } : { ...named, protocol };
}

function writeRule(policies: string, name: string): void {
  const file = `${policies}/${name}.yaml`;
  if (existsSync(file)) return;
  replace(
    file,
    stringify({
      rules: [
        {
          id: `employees-use-${name}`,
          effect: 'allow',
          who: ['provider:employees'],
          what: [`resource:${name}`],
          message: `${name} is for employees.`,
        },
      ],
    }),
  );
}
