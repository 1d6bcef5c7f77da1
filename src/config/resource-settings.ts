import type { Static } from 'typebox';
import { DEFAULT_SETTINGS, type Resource, type UnsafeFrom } from '../domain/resource.ts';
import { HOST_FIELD } from '../lib/host-field.ts';
import type { Place, Problems } from './problem.ts';
import type { ResourceSchema } from './resource-schema.ts';
import { parseDurationMs, parseOrigin, parseSizeBytes } from './values.ts';

type Entry = Static<typeof ResourceSchema>;
type At = (...path: (string | number)[]) => Place;
type Settings = Pick<Resource, 'corsOrigins' | 'targetHost' | 'timeouts' | 'bodyLimitBytes' | 'unsafeFrom'>;

const DAY_MS = 86_400_000;

/** How one resource's requests are treated on their way. */
export function readSettings(entry: Entry, at: At, problems: Problems): Settings {
  const duration = (text: string | undefined, unset: number, key: 'headers' | 'idle'): number => {
    if (text === undefined) return unset;
    const ms = parseDurationMs(text) ?? Number.NaN;
    if (!(ms >= 100 && ms <= DAY_MS))
      problems.add(at('timeouts', key), `"timeouts.${key}" must be between 100ms and 1d`);
    return ms;
  };
  if (entry.targetHost !== undefined && !HOST_FIELD.test(entry.targetHost))
    problems.add(at('targetHost'), `"${entry.targetHost}" is not a host, with or without port`);
  const { timeouts } = DEFAULT_SETTINGS;
  return {
    corsOrigins: readOrigins(entry.cors?.origins ?? [], (index) => at('cors', 'origins', index), problems),
    targetHost: entry.targetHost,
    timeouts: {
      headersMs: duration(entry.timeouts?.headers, timeouts.headersMs, 'headers'),
      idleMs: duration(entry.timeouts?.idle, timeouts.idleMs, 'idle'),
    },
    bodyLimitBytes: entry.bodyLimit === undefined ? undefined : parseSizeBytes(entry.bodyLimit),
    unsafeFrom: readUnsafeFrom(entry.unsafeFrom, at, problems),
  };
}

function readUnsafeFrom(entry: Entry['unsafeFrom'], at: At, problems: Problems): UnsafeFrom | undefined {
  if (entry === undefined) return undefined;
  for (const [index, path] of entry.paths.entries())
    if (/[?#*]/.test(path))
      problems.add(at('unsafeFrom', 'paths', index), `"${path}" must be an exact path, without "?", "#" or "*"`);
  const origins = readOrigins(entry.origins, (index) => at('unsafeFrom', 'origins', index), problems);
  return { paths: entry.paths, origins };
}

function readOrigins(texts: readonly string[], place: (index: number) => Place, problems: Problems): string[] {
  return texts.map((text, index) => {
    const origin = parseOrigin(text)?.origin;
    if (origin === undefined) problems.add(place(index), `"${text}" is not an origin such as https://app.example.com`);
    return origin ?? text;
  });
}
