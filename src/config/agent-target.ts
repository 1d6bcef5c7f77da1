import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { messageOf } from '../lib/errors.ts';
import { endpointText } from '../lib/network/endpoint.ts';
import { FileSchema, Text } from './schema-parts.ts';
import { parseHostPort, parseOrigin } from './values.ts';

/** What an agent dials for a resource. */
export type AgentTarget = (TcpTarget | UnixTarget | TlsTarget) & {
  /** What an announced resource is; absent: a web app. Where the relay's file knows the resource, that says it. */
  readonly protocol?: 'tcp' | 'ssh';
};

export interface TcpTarget {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

export interface UnixTarget {
  readonly kind: 'unix';
  /** Absolute. */
  readonly path: string;
}

/** TLS from the agent to the target; whoever is on the way sees nothing. */
export interface TlsTarget {
  readonly kind: 'tls';
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must have, and that is asked for (SNI). */
  readonly serverName: string;
  /** PEM; undefined: the authorities that Node brings. */
  readonly ca: string | undefined;
  /** False takes any certificate. */
  readonly verify: boolean;
}

const TargetObject = Type.Object(
  {
    url: Type.String({ description: 'the address of the target, such as https://git.internal:8443' }),
    caFile: Type.Optional(FileSchema),
    serverName: Type.Optional(Text),
    verify: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

/** An address, or an address with what TLS needs. */
export const TargetSchema = Type.Union([Type.String(), TargetObject], {
  description: 'an address such as http://127.0.0.1:7001, or url, caFile, serverName and verify',
});

/** A target, or the problem with it. */
export function readTarget(entry: Static<typeof TargetSchema>, base: string): AgentTarget | string {
  const { url: text, caFile, serverName, verify = true } = typeof entry === 'string' ? { url: entry } : entry;
  const target = readAddress(text, base);
  if (typeof target === 'string') return target;
  if (target.kind !== 'tls') {
    const isPlain = caFile === undefined && serverName === undefined && verify;
    return isPlain ? target : '"caFile", "serverName" and "verify" are for https: targets';
  }
  const ca = caFile === undefined ? undefined : readAuthorities(resolve(base, caFile));
  if (typeof ca === 'object') return ca.problem;
  return { ...target, serverName: serverName ?? target.host, ca, verify };
}

function readAddress(text: string, base: string): AgentTarget | string {
  const [, web, path] = /^(http\+)?unix:(.+)$/.exec(text) ?? [];
  if (path !== undefined) {
    // `unix:///run/app.sock` is written, too.
    const plain = path.replace(/^\/\/(?=\/)/, '');
    const target = { kind: 'unix', path: isAbsolute(plain) ? plain : resolve(base, plain) } as const;
    return web === undefined ? { ...target, protocol: 'tcp' } : target;
  }
  const [, protocol = 'tcp', where = text] = /^(ssh|tcp):\/\/(.+)$/.exec(text) ?? [];
  const plain = parseHostPort(protocol === 'ssh' && !/:\d+$/.test(where) ? `${where}:22` : where);
  if (plain && plain.port > 0) return { kind: 'tcp', ...plain, protocol: protocol === 'ssh' ? 'ssh' : 'tcp' };
  const url = parseOrigin(text);
  if (!url)
    return `"${text}" must be http://host:port or https://host:port without a path, host:port, ssh://host, unix:/path or http+unix:/path`;
  // The URL parser keeps the brackets of an IPv6 address; sockets want it bare.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol === 'http:') return { kind: 'tcp', host, port: url.port === '' ? 80 : Number(url.port) };
  const port = url.port === '' ? 443 : Number(url.port);
  return { kind: 'tls', host, port, serverName: host, ca: undefined, verify: true };
}

function readAuthorities(file: string): string | { readonly problem: string } {
  try {
    const pem = readFileSync(file, 'utf8');
    return pem.includes('-----BEGIN CERTIFICATE-----') ? pem : { problem: `${file} holds no certificate in PEM` };
  } catch (error) {
    return { problem: `the CA file cannot be read: ${messageOf(error)}` };
  }
}

/** For people: where a target is. */
export function targetText(target: AgentTarget): string {
  if (target.kind === 'unix') return `unix:${target.path}`;
  return endpointText(target);
}
