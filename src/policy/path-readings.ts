import { decodeFully, type RequestPath } from '../domain/request-path.ts';

/**
 * The ways in which targets read a path with %2F, `//` or `;`, as decoded segments: %2F as a character or a separator,
 * `;parameters` kept or cut (before or after decoding), empty segments kept or merged, and all that where the target
 * decodes until nothing is left. At most 20.
 */
export function readingsOf(path: RequestPath): readonly (readonly string[])[] {
  if (!path.ambiguous) return [path.segments];
  const literal = path.segments;
  const cutRaw = path.raw.slice(1).split('/').map(cut).map(decode);
  const cutDecoded = literal.map(cut);
  const deep = literal.map(decodeFully);
  const shapes = [
    literal,
    cutRaw,
    cutDecoded,
    separated(literal),
    separated(cutRaw),
    separated(cutDecoded),
    separated(literal).map(cut),
    deep.map(cut),
    separated(deep),
    separated(deep).map(cut),
  ];
  const readings = new Map<string, readonly string[]>();
  for (const shape of shapes)
    for (const reading of [shape, merged(shape)]) readings.set(JSON.stringify(reading), reading);
  return [...readings.values()];
}

function cut(segment: string): string {
  const at = segment.indexOf(';');
  return at === -1 ? segment : segment.slice(0, at);
}

// The path was accepted, so each of its segments decodes; so does the part before a ';'.
function decode(segment: string): string {
  return decodeURIComponent(segment);
}

function separated(segments: readonly string[]): string[] {
  return segments.flatMap((segment) => segment.split('/'));
}

function merged(segments: readonly string[]): string[] {
  return segments.filter((segment, at) => segment !== '' || at === segments.length - 1);
}
