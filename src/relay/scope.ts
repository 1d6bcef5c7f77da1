import { containsPorts, type Ports, parsePorts } from '../lib/network/ports.ts';

/**
 * An entry of an enrollment token's scope: a name where `*` stands for any characters, and with `:5000-5999` behind it the
 * ports that may be announced under such names. Then whoever does not say its ports, as web apps, is outside.
 */
export function isInScope(entry: string, name: string, ports: readonly Ports[] | undefined): boolean {
  const [pattern = '', range] = entry.split(':', 2);
  if (!matchesPattern(pattern, name)) return false;
  if (range === undefined) return true;
  const outer = parsePorts(range);
  return outer !== undefined && ports !== undefined && ports.every((inner) => containsPorts(outer, inner));
}

/** `*` stands for any characters, none included. Each part is looked for once, so the work is bounded whatever the pattern. */
function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
