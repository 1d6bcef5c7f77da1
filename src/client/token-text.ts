import Type from 'typebox';

/** A token as relays write them: it is printed, and goes into header fields (RFC 6750 §2.1). */
export const TokenText = Type.String({ pattern: '^[\\w.~+/=-]{1,2000}$' });
