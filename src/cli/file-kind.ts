import { topLevelKeys } from '../config/yaml-document.ts';
import type { FileKind } from './config-schema.ts';

/** Which kind of file this is, by its keys. */
export function kindOfFile(text: string): FileKind {
  const keys = new Set(topLevelKeys(text));
  if (keys.has('rules') || (keys.has('groups') && !keys.has('relay'))) return 'policy';
  return keys.has('targets') || keys.has('stateDir') || keys.has('name') ? 'agent' : 'relay';
}
