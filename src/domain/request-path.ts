/**
 * The one reading of a request target (RFC 9112 §3.2.1, origin form). `raw` and `query` are forwarded and recorded byte
 * for byte; policy reads `segments`. All three come from here, so checker and forwarder cannot differ.
 */
export interface RequestPath {
  /** Path as received, without query. Starts with '/'. */
  readonly raw: string;
  /** Query as received, without '?'; undefined when there was no '?'. */
  readonly query: string | undefined;
  /** `raw` split at '/', each segment percent-decoded once; the empty string before the first '/' left out. */
  readonly segments: readonly string[];
  /** It holds %2F or ';', also below further encodings, or an empty inner segment: targets disagree on how to read that. */
  readonly ambiguous: boolean;
}

/** Of what has no path: a connection. */
export const NO_PATH: RequestPath = { raw: '/', query: undefined, segments: [''], ambiguous: false };

export type PathRefusal = 'not_origin_form' | 'dot_segment' | 'backslash' | 'forbidden_byte' | 'bad_percent';

/** Longest accepted target in bytes; longer ones cannot be matched in bounded time. */
export const MAX_TARGET_BYTES = 16_384;

const TARGET = /^\/[\x21-\x7e]*$/;
/** A target that decodes again cuts at ';', '?' or '#' and finds the dots. */
const DOTS = /^\.{1,2}([;?#].*)?$/s;
/** Percent signs encoded in percent signs more often than this are nobody's path; looking further would cost time without bound. */
const MAX_LAYERS = 4;

export function parseRequestTarget(target: string): RequestPath | PathRefusal {
  if (!target.startsWith('/')) return 'not_origin_form';
  if (target.length > MAX_TARGET_BYTES || !TARGET.test(target) || target.includes('#')) return 'forbidden_byte';
  const mark = target.indexOf('?');
  const raw = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? undefined : target.slice(mark + 1);
  if (raw.includes('\\')) return 'backslash';

  const rawSegments = raw.slice(1).split('/');
  const segments: string[] = [];
  let ambiguous = raw.includes(';') || rawSegments.some((segment, at) => segment === '' && at < rawSegments.length - 1);
  for (const segment of rawSegments) {
    if (!segment.includes('%')) {
      if (DOTS.test(segment)) return 'dot_segment';
      segments.push(segment);
      continue;
    }
    const decoded = decodeOnce(segment);
    if (decoded === undefined) return 'bad_percent';
    const refusal = refuseHidden(decoded);
    if (refusal) return refusal;
    if (/[/;]/.test(decodeFully(decoded))) ambiguous = true;
    segments.push(decoded);
  }
  return { raw, query, segments, ambiguous };
}

/** Looks through further layers of encoding, since a target may decode more than once. */
function refuseHidden(decoded: string): PathRefusal | undefined {
  let text = decoded;
  for (let layer = 1; layer <= MAX_LAYERS; layer++) {
    if (/[\x00-\x1f\x7f]/.test(text)) return 'forbidden_byte';
    if (text.includes('\\')) return 'backslash';
    if (text.split('/').some((part) => DOTS.test(part))) return 'dot_segment';
    const next = decodeBytes(text);
    if (next === text) return undefined;
    text = next;
  }
  return 'bad_percent';
}

/** As a target reads a segment that decodes it until nothing is left to decode. Of accepted paths only: they end. */
export function decodeFully(segment: string): string {
  let text = segment;
  for (let next = decodeBytes(text); next !== text; next = decodeBytes(text)) text = next;
  return text;
}

function decodeBytes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function decodeOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
