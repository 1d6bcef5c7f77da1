/** What every event may say. */
export interface EventBase {
  /** UUIDv7; what people quote as the reference id. */
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
  /** Principal id (a pseudonym), where there is one. */
  readonly principal?: string | undefined;
  readonly session?: string | undefined;
  /** Hex hash of the stored facts that the decision used. */
  readonly facts?: string | undefined;
  readonly personal?: PersonalBlock | undefined;
}

/** Who did it, in each record of what a person does at the relay itself. */
export type Actor = Required<Pick<EventBase, 'principal' | 'session' | 'facts' | 'personal'>>;

/** Characters of a user agent that are recorded: a person who is denied a thousand times a second writes records all the same. */
export const MAX_USER_AGENT = 512;

/** Fields of a record that identify a person. They and a salt stand beside the leaf, which holds only their hash; erasable. */
export interface PersonalBlock {
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly path?: string | undefined;
  /** As recorded: values only where the resource asks, otherwise `name=~<keyed hash>`. */
  readonly query?: string | undefined;
  /** Words that a person gave for what they did; they may name people. */
  readonly note?: string | undefined;
}
