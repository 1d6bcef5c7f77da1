import { randomInt } from 'node:crypto';

/** RFC 8628 §6.1: no vowels, so no words, and nothing that is taken for something else. */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 8;
const FORM = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);

/** What a person reads on one machine and types on another: 20^8 of them. */
export function newUserCode(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

/** `WDJB-MJHT` for people. */
export function showUserCode(code: string): string {
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}

/** As typed: in either case, with or without dashes and spaces. Undefined when it cannot be one. */
export function parseUserCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replace(/[\s\p{Pd}]/gu, '');
  return FORM.test(code) ? code : undefined;
}
