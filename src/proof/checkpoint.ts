import { HASH_BYTES } from './hash.ts';
import { type NoteSigner, type NoteVerifier, openNote, signNote } from './note.ts';

/** What a log was at one moment (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** Unique name of the log: a URL without scheme. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Further lines, opaque; in order. */
  readonly extensions: readonly string[];
}

export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(encodeCheckpoint(checkpoint), signers);
}

/** Undefined when no verifier signed it, a known one signed wrongly, it is malformed, or of another origin. */
export function openCheckpoint(
  note: string,
  origin: string,
  verifiers: readonly NoteVerifier[],
): { readonly checkpoint: Checkpoint; readonly signedBy: readonly string[] } | undefined {
  const opened = openNote(note, verifiers);
  const checkpoint = opened && parseCheckpoint(opened.text);
  return checkpoint?.origin === origin ? { checkpoint, signedBy: opened?.signedBy ?? [] } : undefined;
}

function encodeCheckpoint(checkpoint: Checkpoint): string {
  const lines = [
    checkpoint.origin,
    String(checkpoint.size),
    checkpoint.root.toString('base64'),
    ...checkpoint.extensions,
  ];
  if (lines.some((line) => line === '' || line.includes('\n'))) {
    throw new RangeError('Lines of a checkpoint are not empty.');
  }
  return `${lines.join('\n')}\n`;
}

export function parseCheckpoint(text: string): Checkpoint | undefined {
  if (!text.endsWith('\n')) return undefined;
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split('\n');
  if (!origin || sizeText === undefined || rootText === undefined) return undefined;
  const size = Number(sizeText);
  const root = Buffer.from(rootText, 'base64');
  if (!/^(?:0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(size)) return undefined;
  if (root.length !== HASH_BYTES || root.toString('base64') !== rootText) return undefined;
  return extensions.includes('') ? undefined : { origin, size, root, extensions };
}
