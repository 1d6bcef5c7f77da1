/** `*` stands for one segment, `**` at the end for any rest, also none; everything else for itself, case and all. */
export interface PathPattern {
  readonly segments: readonly string[];
  /** It ends in `**`. */
  readonly open: boolean;
}

/** Longest pattern in segments; matching takes at most that many comparisons. */
const MAX_SEGMENTS = 64;

/** The pattern, or what is wrong with the text. */
export function parsePathPattern(text: string): PathPattern | string {
  if (!text.startsWith('/')) return 'a path begins with "/"';
  const segments = withoutTrailing(text.slice(1).split('/'));
  if (segments.length > MAX_SEGMENTS) return `a path has at most ${MAX_SEGMENTS} segments`;
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1;
    if (segment === '') return 'a path has no empty segment ("//")';
    if (segment === '.' || segment === '..') return 'a path has no "." or ".." segment';
    if (segment === '**' && !last) return '"**" stands only at the end of a path';
    if (segment !== '*' && segment !== '**' && segment.includes('*'))
      return '"*" stands for one whole segment and "**" for any rest; it cannot be a part of a segment';
    if (/%[0-9a-f]{2}/i.test(segment)) return 'paths are written decoded: put the character itself instead of "%"';
    if (/[?#;\\\p{Cc}]/u.test(segment)) return 'a path holds no "?", "#", ";", "\\" or control character';
  }
  const open = segments.at(-1) === '**';
  return { segments: open ? segments.slice(0, -1) : segments, open };
}

/** Compares segment by segment with a path whose segments were decoded once. A slash at the end makes no difference. */
export function matchesPattern(path: readonly string[], pattern: PathPattern): boolean {
  const segments = withoutTrailing(path);
  const wanted = pattern.segments.length;
  if (pattern.open ? segments.length < wanted : segments.length !== wanted) return false;
  return pattern.segments.every((literal, at) => (literal === '*' ? segments[at] !== '' : segments[at] === literal));
}

function withoutTrailing(segments: readonly string[]): readonly string[] {
  return segments.at(-1) === '' ? segments.slice(0, -1) : segments;
}
