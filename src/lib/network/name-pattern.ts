import { parseName } from './endpoint.ts';

/** Names that a text stands for: `db1.lan` for itself, `*.corp.internal` for all below it, `*` for every name. */
export interface NamePattern {
  readonly kind: 'exact' | 'below' | 'any';
  /** The name, the ending with its dot, or ''. */
  readonly text: string;
}

export function parseNamePattern(text: string): NamePattern | undefined {
  if (text === '*') return { kind: 'any', text: '' };
  const below = text.startsWith('*.');
  const name = parseName(below ? text.slice(2) : text);
  if (name === undefined) return undefined;
  return below ? { kind: 'below', text: `.${name}` } : { kind: 'exact', text: name };
}

export function matchesName(pattern: NamePattern, name: string): boolean {
  switch (pattern.kind) {
    case 'exact':
      return name === pattern.text;
    case 'below':
      return name.endsWith(pattern.text);
    case 'any':
      return true;
  }
}

/** Greater is more specific: a name, then the longer ending. */
export function specificity({ kind, text }: NamePattern): number {
  return kind === 'exact' ? 1_000 : text.length;
}
