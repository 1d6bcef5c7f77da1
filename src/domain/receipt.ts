import type { Resource } from './resource.ts';
import type { Session } from './session.ts';

/** What a stream carries to the agent, signed by the relay. One receipt opens one stream, once. */
export interface Receipt {
  readonly relay: string;
  readonly agent: string;
  readonly tunnel: string;
  /** The relay's name for the stream, unique in the tunnel. */
  readonly stream: string;
  /** Hex SHA-256 of the session's id. */
  readonly sessionHash: string;
  readonly resource: string;
  /** Address and port that are dialled, where the resource is a network. */
  readonly destination?: string | undefined;
  /** Id of the first intent that uses the stream, and its leaf hash in hex. */
  readonly intent: string;
  readonly leafHash: string;
  /** Epoch ms; the agent must have opened the stream before it. */
  readonly openBefore: number;
}

/** What the gateway says of a stream to have a receipt for it; the relay's name and the time are its issuer's to add. */
export interface ReceiptRequest
  extends Pick<Receipt, 'agent' | 'tunnel' | 'stream' | 'destination' | 'intent' | 'leafHash'> {
  readonly session: Session;
  readonly resource: Resource;
}
