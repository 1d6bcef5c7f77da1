import type { LauncherResource } from '../../../src/control/contract/resources.ts';

/** Every word of the text occurs somewhere in title, name, description or tags. */
export function matches({ title, name, description, tags }: LauncherResource, text: string): boolean {
  const hay = [title, name, description ?? '', ...tags].join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}
