import { type Static, Type } from 'typebox';
import { messageOf, PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { encodeJson, JsonDecoder } from './length-prefixed-json.ts';
import type { TunnelStream } from './stream.ts';

/** Most resources one agent may announce. */
const MAX_RESOURCES = 1000;

const ResourceName = Type.String({ minLength: 1, maxLength: 128 });
const Text = Type.String({ maxLength: 1000 });

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
  }),
  /** Seen when dialling for a stream; sent when it changes. */
  Type.Object({
    type: Type.Literal('health'),
    resource: ResourceName,
    reachable: Type.Boolean(),
    reason: Type.Optional(Text),
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
  /** The relay will close this tunnel soon; connect elsewhere or again. */
  Type.Object({ type: Type.Literal('drain'), reason: Text }),
]);

export type AgentMessage = Static<typeof FromAgent>;
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
