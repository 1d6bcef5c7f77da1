import { readFileSync } from 'node:fs';
import { Enforcer, type Model, newModelFromString } from 'casbin';
import { LEASE } from '../domain/decision.ts';
import type { Destination } from '../domain/destination.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import {
  type DestinationPattern,
  matchesDestination,
  mayMatch,
  parseDestinationPattern,
} from './destination-pattern.ts';
import { matchesPattern, type PathPattern, parsePathPattern } from './path-pattern.ts';

/** Grows whenever the functions below, patterns, readings, subjects or what concerns a resource come to mean something else. */
export const FUNCTION_SET_VERSION = 6;

/** What a Casbin line says in `act` and `path` for "all"; in `act` without LEASE, which wants to be named. */
export const ALL = '*';
/** Before a destination in `path`; paths begin with "/". */
export const DESTINATION = 'destination ';

/** The arguments of one evaluation. */
export interface CasbinRequest {
  readonly subjects: ReadonlySet<string>;
  readonly objects: ReadonlySet<string>;
  readonly method: string;
  readonly where: Where;
}

/** The segments of a path, or where a connection through a network goes. */
export type Where = readonly string[] | Destination;

/** A line of Casbin's policy: sub, obj, act (methods, separated by spaces), path, eft, rule. */
export type CasbinLine = string[];

const MODEL_FILE = new URL('../../policies/model.conf', import.meta.url);

/** What the model must say, section by section, spaces left out. */
const EXPECTED: Readonly<Record<string, string>> = {
  request_definition: 'r=sub,obj,act,path',
  policy_definition: 'p=sub,obj,act,path,eft,rule',
  policy_effect: 'e=some(where(p.eft==allow))&&!some(where(p.eft==deny))',
  matchers: 'm=holds(r.sub,p.sub)&&covers(r.obj,p.obj)&&names(p.act,r.act)&&matches(r.path,p.path)',
};

/** policies/model.conf of the product, checked. Throws `policy_invalid`. */
export function loadModelText(): string {
  let text: string;
  try {
    text = readFileSync(MODEL_FILE, 'utf8');
  } catch (cause) {
    throw new PosternError('policy_invalid', `policies/model.conf cannot be read: ${messageOf(cause)}`, { cause });
  }
  checkModel(text);
  return text;
}

/**
 * Throws `policy_invalid` unless the model means exactly what this module compiles for. Casbin itself accepts almost
 * anything: with `r.subj` for `r.sub` it compares undefined with undefined and allows everyone.
 */
export function checkModel(text: string): void {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of text.split('\n')) {
    const said = line.replace(/\s+/g, '');
    if (said === '' || said.startsWith('#')) continue;
    const name = /^\[(\w+)\]$/.exec(said)?.[1];
    if (name !== undefined) section = name;
    else found.set(section, [...(found.get(section) ?? []), said]);
  }
  for (const name of new Set([...Object.keys(EXPECTED), ...found.keys()])) {
    const said = (found.get(name) ?? []).join('\n');
    if (said !== EXPECTED[name])
      throw new PosternError(
        'policy_invalid',
        `policies/model.conf: [${name}] must say "${EXPECTED[name] ?? 'nothing'}", not "${said || 'nothing'}". Restore the file.`,
      );
  }
}

export function newModel(text: string): Model {
  return newModelFromString(text);
}

/** The functions of the matcher. Each is total and returns a strict boolean for strings and objects of the right shape. */
export const FUNCTIONS = {
  holds: (subjects: ReadonlySet<string>, subject: string): boolean => subjects.has(subject),
  covers: (objects: ReadonlySet<string>, object: string): boolean => objects.has(object),
  names: (methods: string, method: string): boolean => {
    if (methods === ALL) return method !== LEASE;
    const named = methods.split(' ');
    return named.includes(method) || named.includes(ALL);
  },
  matches: (where: Where, path: string): boolean => {
    if (path === ALL) return true;
    if ('port' in where) return isDestination(path) && matchesDestination(where, destinationPatternOf(path));
    return !isDestination(path) && matchesPattern(where, patternOf(path));
  },
} as const;

export function isDestination(path: string): boolean {
  return path.startsWith(DESTINATION);
}

/** As `matches`, of a name that nobody has resolved yet. */
export function couldMatch(asked: Destination, path: string): boolean {
  return path === ALL || (isDestination(path) && mayMatch(asked, destinationPatternOf(path)));
}

/** Casbin over a set of lines that is handed in for each evaluation. */
export class CandidateEnforcer extends Enforcer {
  readonly #model: Model;

  constructor(model: Model) {
    super();
    this.#model = model;
    this.setModel(model);
    for (const [name, run] of Object.entries(FUNCTIONS)) this.fm.addFunction(name, run);
  }

  /** Synchronous from end to end, so no other evaluation sees these lines. */
  allows(lines: readonly CasbinLine[], request: CasbinRequest): boolean {
    const assertion = this.#model.model.get('p')?.get('p');
    if (!assertion) throw new PosternError('policy_invalid', 'The Casbin model has no policy definition.');
    assertion.policy = [...lines];
    try {
      return this.enforceSync(request.subjects, request.objects, request.method, request.where) === true;
    } finally {
      assertion.policy = [];
    }
  }
}

/** Parsed patterns kept; at the limit the memory is emptied and fills again. */
const MAX_PATTERNS = 100_000;

/** Patterns that were validated when the policy was loaded. */
export const patternOf: (text: string) => PathPattern = remembering(parsePathPattern);
const destinationPatternOf: (text: string) => DestinationPattern = remembering((text) =>
  parseDestinationPattern(text.slice(DESTINATION.length)),
);

function remembering<T extends object>(parse: (text: string) => T | string): (text: string) => T {
  const patterns = new Map<string, T>();
  return (text) => {
    const known = patterns.get(text);
    if (known) return known;
    const parsed = parse(text);
    if (typeof parsed === 'string') throw new PosternError('policy_invalid', `"${text}": ${parsed}`);
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    patterns.set(text, parsed);
    return parsed;
  };
}
