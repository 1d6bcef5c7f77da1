import type { NewCode } from '../domain/stored/code.ts';
import { sha256Hex } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import type { Mint } from './keys/mint.ts';
import type { CodeStore } from './ports.ts';

/** A code travels in one redirect. */
const LIFE_MS = 60_000;
/** Unredeemed codes of one session, of either kind; the oldest go first. */
const MAX_CODES = 32;

export interface CodeDeps {
  readonly codes: CodeStore;
  readonly mint: Mint;
  readonly clock: Clock;
}

/** A code that is of use only with what it is bound to; only its hash is kept. */
export async function issueCode(
  { codes, mint, clock }: CodeDeps,
  bound: Omit<NewCode, 'hash' | 'expiresAt'>,
): Promise<string> {
  const code = mint.mint();
  await codes.add({ ...bound, hash: sha256Hex(code), expiresAt: clock() + LIFE_MS }, MAX_CODES);
  return code;
}
