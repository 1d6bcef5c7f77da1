import { readFileSync } from 'node:fs';
import type { Static, TSchema } from 'typebox';
import { type Document, isAlias, isNode, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import { messageOf } from '../lib/errors.ts';
import type { Place, Problems } from './problem.ts';
import { SchemaWalk } from './schema-walk.ts';

/** Longest accepted file: 10,000 rules fit; a longer one is refused unread. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** A YAML file of the shape of a schema, and where each of its values stands. */
export interface YamlDocument<T> {
  readonly value: T;
  /** Place of the value at a path of keys and indexes, or of the nearest enclosing value that exists. */
  place(...path: readonly (string | number)[]): Place;
  /** Place of the key that names the value; for elements of a list, of the value. */
  keyPlace(...path: readonly (string | number)[]): Place;
}

/** Reads and parses a file; undefined if anything is wrong with it, and then `problems` say what. */
export function loadYaml<T extends TSchema>(
  file: string,
  schema: T,
  problems: Problems,
): YamlDocument<Static<T>> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    problems.add({ file, line: 1, column: 1 }, `the file cannot be read: ${messageOf(error)}`);
    return undefined;
  }
  return parseYaml(text, file, schema, problems);
}

/**
 * Parses YAML 1.2 with nothing that hides what a value is: one document, no anchors, aliases, merge keys or tags.
 * Unknown keys, keys given twice, missing keys and wrong types are problems; all of them are reported.
 */
export function parseYaml<T extends TSchema>(
  text: string,
  file: string,
  schema: T,
  problems: Problems,
): YamlDocument<Static<T>> | undefined {
  const before = problems.count;
  const root = parseNodes(text, file, problems);
  if (!root) return undefined;
  const walk = new SchemaWalk(root.placeOf, problems);
  const value = walk.read(root.node, schema);
  if (problems.count > before) return undefined;
  return {
    // The walk has checked the value against the very schema whose static type this is.
    value: value as Static<T>,
    place: (...path) => walk.places.value(path),
    keyPlace: (...path) => walk.places.key(path),
  };
}

/** The keys at the top of a YAML mapping, to tell one kind of file from another; empty if it is no mapping. */
export function topLevelKeys(text: string): string[] {
  return [...text.matchAll(/^["']?([A-Za-z][\w-]*)["']?[ \t]*:/gm)].flatMap((match) => match[1] ?? []);
}

interface Root {
  readonly node: Node;
  readonly placeOf: (offset: number) => Place;
}

function parseNodes(text: string, file: string, problems: Problems): Root | undefined {
  const start: Place = { file, line: 1, column: 1 };
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    problems.add(start, `the file is longer than ${MAX_FILE_BYTES / 1024 / 1024} MiB`);
    return undefined;
  }
  const lineCounter = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  let documents: Document[];
  try {
    // Duplicate keys are found in the walk: the parser's own search is quadratic.
    documents = [...parseAllDocuments(text, { lineCounter, prettyErrors: false, uniqueKeys: false, merge: false })];
  } catch (error) {
    const why = error instanceof RangeError ? 'it is nested too deeply' : messageOf(error);
    problems.add(start, `the file is not YAML: ${why}`);
    return undefined;
  }
  const [document, second] = documents;
  for (const flaw of document ? [...document.errors, ...document.warnings] : [])
    problems.add(placeOf(flaw.pos[0]), `not YAML: ${flaw.message}`);
  if (second)
    problems.add(placeOf(second.range?.[0] ?? 0), 'a second document begins here; one file holds one document');
  const node = document?.contents;
  if (!document || (document.errors.length === 0 && !isNode(node))) problems.add(start, 'the file is empty');
  if (!document || document.errors.length > 0 || !isNode(node)) return undefined;
  refuseHiding(document, placeOf, problems);
  return { node, placeOf };
}

function refuseHiding(document: Document, placeOf: (offset: number) => Place, problems: Problems): void {
  visit(document, {
    Node(_, node) {
      const place = placeOf(node.range?.[0] ?? 0);
      if (isAlias(node))
        problems.add(place, `aliases are not used here: write the value out instead of *${node.source}`);
      else if (node.anchor !== undefined) problems.add(place, `anchors are not used here: remove &${node.anchor}`);
      if (node.tag !== undefined) problems.add(place, `tags are not used here: remove ${node.tag}`);
    },
  });
}
