import type { TSchema } from 'typebox';
import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { didYouMean } from './did-you-mean.ts';
import { type Path, Places } from './places.ts';
import type { Place, Problems } from './problem.ts';

/**
 * Reads YAML nodes by a TypeBox schema (its JSON Schema form): values come out, and every difference becomes a problem
 * at its own line and column. `description` of a schema completes the sentence "must be …".
 */
export class SchemaWalk {
  readonly places = new Places();
  readonly #placeOf: (offset: number) => Place;
  readonly #problems: Problems;

  constructor(placeOf: (offset: number) => Place, problems: Problems) {
    this.#placeOf = placeOf;
    this.#problems = problems;
  }

  read(node: Node, schema: TSchema): unknown {
    return this.#read(node, schema as JsonSchema, []);
  }

  #read(node: Node, schema: JsonSchema, path: Path): unknown {
    this.places.setValue(path, this.#place(node));
    // Aliases were reported when the nodes were parsed.
    if (isAlias(node)) return undefined;
    if (isScalar(node) && node.value === null) return this.#wrong(node, path, 'has no value: give one or remove it');
    const shapes = schema.anyOf?.filter((each) => each.type !== undefined && each.const === undefined) ?? [];
    if (shapes.length > 0) {
      // Number, text or mapping: what is written chooses.
      const isNumber = isScalar(node) && typeof node.value === 'number';
      const shape =
        shapes.find((each) => isNumber && each.type === 'integer') ??
        shapes.find((each) => (each.type === 'object') === isMap(node) && each.type !== 'integer');
      const { description } = schema;
      if (!shape) return this.#mustBe(node, path, schema, expected(schema));
      return this.#read(node, description === undefined ? shape : { ...shape, description }, path);
    }
    if (schema.type === 'object')
      return isMap(node) ? this.#readMap(node, schema, path) : this.#wrong(node, path, 'must be a mapping of keys');
    if (schema.type === 'array')
      return isSeq(node) ? this.#readList(node, schema, path) : this.#wrong(node, path, 'must be a list');
    return isScalar(node) ? this.#readScalar(node, schema, path) : this.#mustBe(node, path, schema, expected(schema));
  }

  #readMap(map: YAMLMap, schema: JsonSchema, path: Path): unknown {
    const known = schema.properties ?? {};
    const [pattern, ofPattern] = Object.entries(schema.patternProperties ?? {})[0] ?? [];
    const read = new Map<string, unknown>();
    const lines = new Map<string, number>();
    for (const { key, value } of map.items) {
      if (!isScalar(key)) {
        this.#wrong(map, path, 'has a key that is not plain text');
        continue;
      }
      const name = key.source ?? String(key.value);
      const at = this.#place(key);
      const here = [...path, name];
      const earlier = lines.get(name);
      if (earlier !== undefined) {
        this.#problems.add(at, `"${name}" is given twice; the first is in line ${earlier}`);
        continue;
      }
      lines.set(name, at.line);
      this.places.setKey(here, at);
      const own = Object.hasOwn(known, name) ? known[name] : undefined;
      if (own === undefined && ofPattern === undefined) {
        this.#problems.add(at, `unknown key "${name}"${where(path)}${didYouMean(name, Object.keys(known))}`);
        continue;
      }
      if (own === undefined && pattern !== undefined && !new RegExp(pattern, 'u').test(name)) {
        this.#problems.add(at, `the name "${name}" must be ${schema.description ?? `of the form ${pattern}`}`);
        continue;
      }
      const next = own ?? ofPattern;
      if (next) read.set(name, this.#read((value as Node | null) ?? key, next, here));
    }
    for (const name of schema.required ?? [])
      if (!lines.has(name)) {
        const what = known[name]?.description;
        this.#wrong(map, path, `lacks "${name}"${what ? `: ${what}` : ''}`);
      }
    return Object.fromEntries(read);
  }

  #readList(list: YAMLSeq, schema: JsonSchema, path: Path): unknown {
    const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
    if (list.items.length < minItems) this.#wrong(list, path, `must have at least ${minItems} entry`);
    if (list.items.length > maxItems) this.#wrong(list, path, `must have at most ${maxItems} entries`);
    return list.items.map((item, at) => (items ? this.#read(item as Node, items, [...path, at]) : undefined));
  }

  #readScalar(node: Scalar, schema: JsonSchema, path: Path): unknown {
    const { value } = node;
    const choices = schema.anyOf?.map((each) => each.const) ?? schema.enum;
    if (choices) {
      if (choices.includes(value)) return value;
      return this.#mustBe(
        node,
        path,
        schema,
        `one of ${choices.join(', ')}`,
        didYouMean(String(value), choices.map(String)),
      );
    }
    if (schema.type === 'string') {
      if (typeof value !== 'string') return this.#mustBe(node, path, schema, expected(schema), ' (put it in quotes)');
      const fits =
        value.length >= (schema.minLength ?? 0) &&
        value.length <= (schema.maxLength ?? Number.POSITIVE_INFINITY) &&
        (schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value));
      return fits ? value : this.#mustBe(node, path, schema, expected(schema));
    }
    if (schema.type === 'boolean' && typeof value === 'boolean') return value;
    if (schema.type === 'integer' && isWithin(value, schema)) return value;
    return this.#mustBe(node, path, schema, expected(schema));
  }

  #mustBe(node: Node, path: Path, schema: JsonSchema, otherwise: string, hint = ''): undefined {
    this.#wrong(node, path, `must be ${schema.description ?? otherwise}${hint}`);
  }

  #wrong(node: Node, path: Path, text: string): undefined {
    this.#problems.add(this.#place(node), `${path.length === 0 ? 'the file' : nameOf(path)} ${text}`);
  }

  #place(node: Node): Place {
    return this.#placeOf(node.range?.[0] ?? 0);
  }
}

/** The part of JSON Schema that our TypeBox schemas of files use. */
interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly anyOf?: readonly (JsonSchema & { readonly const?: unknown })[];
  readonly enum?: readonly unknown[];
}

function isWithin(value: unknown, { minimum = -Infinity, maximum = Infinity }: JsonSchema): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum;
}

function expected(schema: JsonSchema): string {
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema;
    return minimum === undefined || maximum === undefined
      ? 'a whole number'
      : `a whole number from ${minimum} to ${maximum}`;
  }
  if (schema.type === 'boolean') return 'true or false';
  if (schema.maxLength !== undefined) return `text of ${schema.minLength ?? 0} to ${schema.maxLength} characters`;
  return 'text';
}

function nameOf(path: Path): string {
  let name = '';
  for (const step of path) name += typeof step === 'number' ? `[${step + 1}]` : name === '' ? step : `.${step}`;
  return `"${name}"`;
}

function where(path: Path): string {
  return path.length === 0 ? '' : ` in ${nameOf(path)}`;
}
