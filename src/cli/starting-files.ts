import { type FileKind, jsonSchemaText } from './config-schema.ts';

/** What `postern config init` writes: path below the directory → text. Placeholders are example.com. */
export function startingFiles(): Readonly<Record<string, string>> {
  return {
    'postern.yaml': `${editorLine('./schemas', 'relay')}${RELAY}`,
    'agent.yaml': `${editorLine('./schemas', 'agent')}${AGENT}`,
    'policies/rules.yaml': `${editorLine('../schemas', 'policy')}${RULES}`,
    'schemas/relay.schema.json': jsonSchemaText('relay'),
    'schemas/agent.schema.json': jsonSchemaText('agent'),
    'schemas/policy.schema.json': jsonSchemaText('policy'),
  };
}

function editorLine(directory: string, kind: FileKind): string {
  return `# yaml-language-server: $schema=${directory}/${kind}.schema.json\n`;
}

const RELAY = `# The relay. Check this file, and the world around it, before you start:
#   postern config check postern.yaml
#   postern relay check --config postern.yaml
# Paths are relative to this file. Durations: 500ms, 15s, 10m, 8h, 1d.

relay:
  # What people type. Its name, and that of each resource, must lead to this machine.
  url: https://access.example.com
  # Plain HTTP is for loopback, or for a proxy named in trustedProxies.
  listen: 127.0.0.1:8080
  # Whom a person asks who is denied.
  contact: it@example.com

  # HTTPS by the relay itself. Then: listen: 0.0.0.0:443
  # tls:
  #   certificateFile: ./fullchain.pem      # for the relay's host and each resource's; read again when it changes
  #   keyFile: ./privkey.pem
  #   certificates: [{ certificateFile: ./a.pem, keyFile: ./a.key }]   # or several, chosen by the name asked for
  #   redirectFrom: 0.0.0.0:80

  # A proxy or load balancer in front: only from it X-Forwarded-For and -Proto are believed.
  # trustedProxies: [127.0.0.1]
  # proxyProtocol: true                     # it sends the PROXY protocol (version 1 or 2)

  # Numbers for Prometheus and health, on loopback only.
  # metrics: 127.0.0.1:9090
  # drain: 10s                              # after SIGTERM, what is open may go on for so long

# Keys, and the embedded database while "database" is absent. Back it up.
dataDir: ./data
# database: { urlFile: ./database-url }     # holds postgres://user:password@host/database

# The OIDC provider. Register the redirect URI https://access.example.com/oidc/callback there.
provider:
  issuer: https://id.example.com
  clientId: postern
  # A file with the secret alone, or credential:NAME for a systemd credential.
  clientSecretFile: ./client-secret
  # scopes: [openid, email, profile, groups]
  # groupsClaim: groups

# What people may do at the relay itself. Access to resources is the policy's alone.
roles:
  admin: { people: [you@example.com] }
  security: { groups: [] }
  auditor: { groups: [] }

# sessions: { idle: 8h, absolute: 24h }
policy: { directory: ./policies }

agents:
  # While the agent is not enrolled, the relay writes a fresh token there: good once, for an hour.
  office: { enrollmentTokenFile: ./office.token }

resources:
  wiki:
    # host: wiki.access.example.com         # the default
    agent: office
    title: Wiki
    # description: What everybody should know.
    # tags: [internal]                      # rules may name tags
    # owner: it@example.com
    # headers: { Remote-User: email }       # email, name, groups, subject or id
`;

const AGENT = `# The agent, beside the private apps. It only dials out: to the relay, and to these targets.
#   postern agent --config agent.yaml

relay: https://access.example.com
# As postern.yaml names it under "agents".
name: office
# The token that the relay wrote; needed once. Later only the key in stateDir counts.
enrollmentTokenFile: ./office.token
stateDir: ./agent

# Resource → what the agent dials for it, and nothing else.
targets:
  wiki: http://127.0.0.1:3000

# Many machines at once, each connection decided by name, address and port: docs/networks.md
# networks:
#   lan: { hosts: ['*.corp.internal'], addresses: [10.0.0.0/8], ports: [22, '5000-5999'] }
`;

const RULES = `# Who may reach what. Nothing is allowed unless a rule allows it, and a deny beats every allow.
# Save this file and it is in force a moment later; a mistake leaves the old rules in force and says where it is.
#
#   who:   provider:<group at the identity provider>, group:<group below>, person:<e-mail>, service:<name>, anyone-signed-in
#   what:  resource:<name>, tag:<tag>, any-resource
#   methods and paths narrow a rule; "*" is one segment of a path, "**" any rest. On networks, destinations do: db1.lan:5432.

groups:
  pioneers: [person:you@example.com]

rules:
  - id: pioneers-use-the-wiki
    effect: allow
    who: [group:pioneers]
    what: [resource:wiki]
    message: The wiki is being tried out; ask IT to take part.
`;
