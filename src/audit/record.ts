import { hash, randomFillSync } from 'node:crypto';
import type { PersonalBlock } from '../domain/audit-event/event-base.ts';
import type { AuditEvent } from '../domain/audit-event.ts';
import { PosternError } from '../lib/errors.ts';
import { UUID } from '../lib/id.ts';
import { leafHash } from '../proof/hash.ts';
import { intentLeaf, outcomeLeaf } from './access-leaf.ts';
import { canonicalRecord, mayNeedCleaning } from './canonical.ts';

const SALT_BYTES = 16;
/** Largest leaf, and largest personal block. Beyond it the event is refused with `limit_reached`. */
const MAX_RECORD_BYTES = 262_144;

/** One record as it is stored. */
export interface EncodedRecord {
  /** Id of the record; of an outcome, of its intent. */
  readonly ref: string;
  readonly leaf: string;
  readonly leafHash: Buffer;
  readonly salt: Buffer | undefined;
  readonly personal: string | undefined;
}

/** SPEC.md, "Leaf". Throws PosternError when the event cannot be a record. */
export function encodeRecord(event: AuditEvent, log: string, index: number): EncodedRecord {
  const ref = event.kind === 'access.outcome' ? event.intent : event.id;
  if (!UUID.test(event.id) || (ref !== event.id && !UUID.test(ref))) {
    throw new PosternError('request_invalid', `An audit event has an id that is not a UUID: ${event.id} ${ref}`);
  }
  let salt: Buffer | undefined;
  let personal: string | undefined;
  let personalHash: string | undefined;
  if (event.personal) {
    salt = nextSalt();
    personal = encodePersonal(event.personal);
    personalHash = saltedHash(salt, personal);
  }
  const leaf = encodeLeaf(event, log, index, personalHash);
  if (leaf.length > MAX_RECORD_BYTES || (personal?.length ?? 0) > MAX_RECORD_BYTES) {
    throw new PosternError('limit_reached', `An audit event of kind ${event.kind} is larger than a record may be.`);
  }
  return { ref, leaf, leafHash: leafHash(leaf), salt, personal };
}

/** Hex SHA-256(salt ‖ text): what a leaf holds of a personal block, and the name of facts. */
export function saltedHash(salt: Uint8Array, text: string): string {
  const bytes = Buffer.allocUnsafe(salt.length + Buffer.byteLength(text));
  bytes.set(salt);
  bytes.write(text, salt.length);
  return hash('sha256', bytes, 'hex');
}

/** A view of a block of random bytes; never used twice. */
export function nextSalt(): Buffer {
  if (saltsUsed === salts.length) {
    salts = randomFillSync(Buffer.allocUnsafeSlow(SALT_BYTES * 256));
    saltsUsed = 0;
  }
  saltsUsed += SALT_BYTES;
  return salts.subarray(saltsUsed - SALT_BYTES, saltsUsed);
}

let salts = Buffer.alloc(0);
let saltsUsed = 0;

function encodeLeaf(event: AuditEvent, log: string, index: number, personal: string | undefined): string {
  const frame = { v: 1, log, index, personal } as const;
  if (event.kind === 'access.intent') {
    refuseFractions(event.at, event.ordinal);
    return encodeSorted(intentLeaf(event, frame));
  }
  if (event.kind === 'access.outcome') {
    refuseFractions(event.at, event.status, event.bytesUp, event.bytesDown, event.durationMs);
    return encodeSorted(outcomeLeaf(event, frame));
  }
  return canonicalRecord({ ...event, ...frame });
}

function encodeSorted(leaf: object): string {
  const text = JSON.stringify(leaf);
  return mayNeedCleaning(text) ? canonicalRecord(leaf) : text;
}

function refuseFractions(...numbers: readonly (number | undefined)[]): void {
  for (const number of numbers) {
    if (number !== undefined && !Number.isSafeInteger(number)) throw new RangeError(`${number} is not an integer.`);
  }
}

function encodePersonal(block: PersonalBlock): string {
  const { address, email, groups, issuer, name, note, path, query, subject, userAgent } = block;
  // Members in canonical order; JSON.stringify leaves undefined ones out.
  return encodeSorted({ address, email, groups, issuer, name, note, path, query, subject, userAgent });
}
