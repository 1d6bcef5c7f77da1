import { type Static, Type } from 'typebox';
import { messageOf, PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { encodeJson, JsonDecoder } from './length-prefixed-json.ts';
import type { TunnelStream } from './stream.ts';

/** Most resources one agent may announce. */
const MAX_RESOURCES = 1000;

const ResourceName = Type.String({ minLength: 1, maxLength: 128 });
const Text = Type.String({ maxLength: 1000 });
/** Host patterns, addresses, ports: their language is not the tunnel's. */
const Entries = Type.Array(Type.String({ maxLength: 300 }), { maxItems: 1000 });
const QuestionId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** Why a name has no address: the agent does not list it, it is not in its DNS or leads to what may not be dialled, too much is asked. */
const Resolution = Type.Union([
  Type.Literal('not_allowed'),
  Type.Literal('not_found'),
  Type.Literal('timeout'),
  Type.Literal('too_many'),
]);

const FromAgent = Type.Union([
  /** Replaces what was announced before. */
  Type.Object({
    type: Type.Literal('announce'),
    resources: Type.Array(ResourceName, { maxItems: MAX_RESOURCES }),
    /** Of those that are no web apps. */
    protocols: Type.Optional(
      Type.Record(ResourceName, Type.Union([Type.Literal('tcp'), Type.Literal('ssh')]), {
        maxProperties: MAX_RESOURCES,
      }),
    ),
    /** Of targets that have one and are no web apps. */
    ports: Type.Optional(
      Type.Record(ResourceName, Type.Integer({ minimum: 1, maximum: 65_535 }), { maxProperties: MAX_RESOURCES }),
    ),
    /** Network resources, and the destinations that the agent dials for them. */
    networks: Type.Optional(
      Type.Record(ResourceName, Type.Object({ hosts: Entries, addresses: Entries, ports: Entries }), {
        maxProperties: MAX_RESOURCES,
      }),
    ),
  }),
  /** Seen when dialling for a stream; sent when it changes. */
  Type.Object({
    type: Type.Literal('health'),
    resource: ResourceName,
    reachable: Type.Boolean(),
    reason: Type.Optional(Text),
  }),
  /** The answer to `resolve`: an address that the agent would dial for this name, or why there is none. */
  Type.Object({
    type: Type.Literal('resolved'),
    id: QuestionId,
    address: Type.Optional(Type.String({ maxLength: 45 })),
    code: Type.Optional(Resolution),
    message: Type.Optional(Text),
  }),
  /** Asks for a new credential for the same key. */
  Type.Object({ type: Type.Literal('renew') }),
  /** Open no new streams on this tunnel. */
  Type.Object({ type: Type.Literal('drain') }),
]);

const FromRelay = Type.Union([
  /** The answer to `renew`; the tunnel now lives until `expiresAt` (epoch ms). */
  Type.Object({
    type: Type.Literal('credential'),
    credential: Type.String({ maxLength: 8192 }),
    expiresAt: Type.Integer({ minimum: 0 }),
  }),
  /** Announced names that the agent may not serve here, with why. */
  Type.Object({
    type: Type.Literal('refused'),
    resources: Type.Array(Type.Object({ resource: ResourceName, reason: Text }), { maxItems: MAX_RESOURCES }),
  }),
  /** Asks for the address of a name of a network resource. Only agents that announced one are asked. */
  Type.Object({
    type: Type.Literal('resolve'),
    id: QuestionId,
    resource: ResourceName,
    host: Type.String({ minLength: 1, maxLength: 253 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  }),
  /** The relay will close this tunnel soon; connect elsewhere or again. */
  Type.Object({ type: Type.Literal('drain'), reason: Text }),
]);

export type AgentMessage = Static<typeof FromAgent>;
export type Resolution = Static<typeof Resolution>;
export type RelayMessage = Static<typeof FromRelay>;

export const parseAgentMessage = parser(FromAgent, "The agent's control message", 'protocol_violation');
export const parseRelayMessage = parser(FromRelay, "The relay's control message", 'protocol_violation');

export function sendControl(stream: TunnelStream, message: AgentMessage | RelayMessage): void {
  if (!stream.destroyed && !stream.writableEnded) stream.write(encodeJson(message));
}

/** Calls `take` for each message; `broken` once, when the peer broke the protocol or the stream ended. */
export function receiveControl<T>(
  stream: TunnelStream,
  parse: (value: unknown) => T,
  take: (message: T) => void,
  broken: (error: PosternError) => void,
): void {
  const decoder = new JsonDecoder();
  stream.on('data', (chunk: Buffer) => {
    try {
      decoder.add(chunk);
      for (let found = decoder.next(); found; found = decoder.next()) take(parse(found.value));
    } catch (error) {
      stream.destroy();
      broken(error instanceof PosternError ? error : new PosternError('protocol_violation', messageOf(error)));
    }
  });
  stream.on('end', () => broken(new PosternError('protocol_violation', 'The control stream ended.')));
}
