import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** Type byte of a plain Ed25519 signature in the C2SP signed-note format. */
const ED25519 = 1;
/** Signature lines that are looked at; a note with more is not valid. */
const MAX_SIGNATURES = 64;
const MAX_NOTE_BYTES = 65_536;
const NAME = /^[^\s+]+$/u;
/** Text of lines that end in a newline, without other control characters. */
const TEXT = /^(?:[^\x00-\x1f\x7f]*\n)+$/u;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;
/** DER before the 32 bytes of an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Who signs notes: a name (schema-less URL by custom) and an Ed25519 key. */
export interface NoteVerifier {
  readonly name: string;
  readonly publicKey: KeyObject;
}

export interface NoteSigner extends NoteVerifier {
  readonly privateKey: KeyObject;
}

/** Signs `text` (C2SP signed-note). Throws RangeError for text or names the format cannot carry. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!TEXT.test(text) || !text.isWellFormed()) throw new RangeError('The text of a note is lines that end in \\n.');
  const lines = signers.map((signer) => {
    const signature = sign(null, Buffer.from(text), signer.privateKey);
    return `— ${signer.name} ${Buffer.concat([keyId(signer), signature]).toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/**
 * The text and the names that signed it, if at least one of `verifiers` did; undefined when none did, when the note is
 * malformed, or when a signature of a known key is wrong. Signatures of others are passed over.
 */
export function openNote(
  note: string,
  verifiers: readonly NoteVerifier[],
): { readonly text: string; readonly signedBy: readonly string[] } | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end === -1 || !note.endsWith('\n') || Buffer.byteLength(note) > MAX_NOTE_BYTES) return undefined;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  if (!TEXT.test(text) || !note.isWellFormed() || lines.length > MAX_SIGNATURES) return undefined;

  const signedBy = new Set<string>();
  for (const line of lines) {
    const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
    if (name === undefined || encoded === undefined) return undefined;
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length < 5 || bytes.toString('base64') !== encoded) return undefined;
    const verifier = verifiers.find((known) => known.name === name && keyId(known).equals(bytes.subarray(0, 4)));
    if (!verifier) continue;
    if (!verify(null, Buffer.from(text), verifier.publicKey, bytes.subarray(4))) return undefined;
    signedBy.add(name);
  }
  return signedBy.size > 0 ? { text, signedBy: [...signedBy] } : undefined;
}

/** `<name>+<key id in hex>+<base64 of type and key>`: how people pass verifiers on. */
export function encodeVerifier(verifier: NoteVerifier): string {
  return `${verifier.name}+${keyId(verifier).toString('hex')}+${typedKey(verifier).toString('base64')}`;
}

/** Undefined when it is malformed, not Ed25519, or its key id does not fit. */
export function parseVerifier(text: string): NoteVerifier | undefined {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text) ?? [];
  if (name === undefined || encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== 33 || bytes[0] !== ED25519 || bytes.toString('base64') !== encoded) return undefined;
  const der = Buffer.concat([SPKI_PREFIX, bytes.subarray(1)]);
  const verifier = { name, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
  return keyId(verifier).toString('hex') === id ? verifier : undefined;
}

/** First four bytes of SHA-256(name ‖ \n ‖ type ‖ key). */
function keyId(verifier: NoteVerifier): Buffer {
  if (!NAME.test(verifier.name)) throw new RangeError('The name of a note signer has no spaces and no plus.');
  const named = Buffer.concat([Buffer.from(`${verifier.name}\n`), typedKey(verifier)]);
  return hash('sha256', named, 'buffer').subarray(0, 4);
}

function typedKey(verifier: NoteVerifier): Buffer {
  if (verifier.publicKey.asymmetricKeyType !== 'ed25519') throw new RangeError('Notes are signed with Ed25519.');
  const der = verifier.publicKey.export({ format: 'der', type: 'spki' });
  return Buffer.concat([Buffer.from([ED25519]), der.subarray(SPKI_PREFIX.length)]);
}
