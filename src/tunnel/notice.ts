import { type Static, Type } from 'typebox';
import { parser } from '../lib/schema.ts';

const Notice = Type.Object({
  /** Id of a stream of this tunnel, that the client opened and the relay has reset. */
  stream: Type.Integer({ minimum: 1, maximum: 0xffff_ffff }),
  /** For programs; of a closed list, which may be longer at the other end. */
  reason: Type.String({ pattern: '^[a-z_]{1,64}$' }),
  /** For the person, as the end of a sentence. */
  message: Type.String({ minLength: 1, maxLength: 300 }),
  /** Id of the record of the connection. */
  reference: Type.String({ minLength: 1, maxLength: 64 }),
});

/** Why the relay cut a connection of a command line: the reset itself says nothing. */
export type Notice = Static<typeof Notice>;

export const parseNotice = parser(Notice, "The relay's notice", 'protocol_violation');
