import { LEASE } from '../domain/decision.ts';
import type { Resource } from '../domain/resource.ts';
import {
  ALL,
  type CasbinLine,
  type CasbinRequest,
  DESTINATION,
  FUNCTIONS,
  isDestination,
  patternOf,
} from './casbin-model.ts';
import type { Rule } from './rule.ts';
import { qualify } from './subjects.ts';

/** One Casbin line and the rule it comes from. */
export interface Line {
  readonly rule: Rule;
  /** Place of the rule in the policy; the first of several matching rules is the one that is named. */
  readonly order: number;
  readonly casbin: CasbinLine;
}

export function linesOf(rules: readonly Rule[], issuer: string): Line[] {
  return rules.flatMap((rule, order) =>
    rule.who.flatMap((who) =>
      rule.what.flatMap((what) =>
        whereOf(rule).map((path) => ({
          rule,
          order,
          casbin: [qualify(who, issuer), what, methodsOf(rule), path, rule.effect, rule.id],
        })),
      ),
    ),
  );
}

/** What the rule says about paths or destinations, as Casbin's `path`. */
function whereOf({ paths, destinations }: Rule): readonly string[] {
  return paths ?? destinations?.map((text) => `${DESTINATION}${text}`) ?? [ALL];
}

/** Who denies all methods means leases, too. */
function methodsOf({ methods, effect }: Rule): string {
  if (methods) return methods.join(' ');
  return effect === 'deny' ? `${ALL} ${LEASE}` : ALL;
}

/** A resource in Casbin's words. */
export function objectsOf(resource: Resource): ReadonlySet<string> {
  return new Set([`resource:${resource.name}`, 'any-resource', ...resource.tags.map((tag) => `tag:${tag}`)]);
}

/** What Casbin will say of one line, by the same functions: for naming the rules that matched. */
export function lineMatches(line: Line, request: CasbinRequest): boolean {
  const [subject = '', object = '', methods = '', path = ''] = line.casbin;
  return (
    FUNCTIONS.holds(request.subjects, subject) &&
    FUNCTIONS.covers(request.objects, object) &&
    FUNCTIONS.names(methods, request.method) &&
    FUNCTIONS.matches(request.where, path)
  );
}

/** The lines that can concern one resource, by subject and by the first segment of their path. */
export class ResourceLines {
  readonly objects: ReadonlySet<string>;
  /** Whether any of them looks at the path: else every path gets the same decision. */
  readonly byPath: boolean;
  /** Whether any of them looks at the destination. */
  readonly byDestination: boolean;
  /** Rules for this resource that allow, in order. */
  readonly allowing: readonly Rule[];
  readonly #bySubject = new Map<string, Bucket>();

  constructor(resource: Resource, linesByObject: ReadonlyMap<string, readonly Line[]>) {
    this.objects = objectsOf(resource);
    const lines = [...this.objects]
      .flatMap((object) => linesByObject.get(object) ?? [])
      .filter((line) => !isTooBroad(line, resource) && !isForPages(line, resource));
    lines.sort((a, b) => a.order - b.order);
    this.byPath = lines.some((line) => line.rule.paths !== undefined);
    this.byDestination = lines.some((line) => line.rule.destinations !== undefined);
    this.allowing = [...new Set(lines.map((line) => line.rule))].filter((rule) => rule.effect === 'allow');
    for (const line of lines) {
      const [subject = '', , , path = ALL] = line.casbin;
      let bucket = this.#bySubject.get(subject);
      if (!bucket) this.#bySubject.set(subject, (bucket = { any: [], byFirst: new Map() }));
      const first = path === ALL || isDestination(path) ? undefined : patternOf(path).segments[0];
      const list = first === undefined || first === '*' ? bucket.any : bucket.byFirst.get(first);
      if (list) list.push(line);
      else bucket.byFirst.set(first ?? '', [line]);
    }
  }

  /** Every line that may match a path that begins with `first`; undefined: any path. In no order. */
  candidates(subjects: ReadonlySet<string>, first: string | undefined): Line[] {
    const found: Line[] = [];
    for (const subject of subjects) {
      const bucket = this.#bySubject.get(subject);
      if (!bucket) continue;
      found.push(...bucket.any);
      const chosen = first === undefined ? [...bucket.byFirst.values()].flat() : (bucket.byFirst.get(first) ?? []);
      found.push(...chosen);
    }
    return found;
  }
}

/** Whoever wrote "any resource" did not mean those that an agent thinks of later. A deny does. */
function isTooBroad({ rule, casbin }: Line, { announced }: Resource): boolean {
  return announced === true && rule.effect === 'allow' && casbin[1] === 'any-resource';
}

/** Whoever allowed paths meant web apps, not connections, whose bytes nobody reads. A deny means both. */
function isForPages({ rule }: Line, { protocol }: Resource): boolean {
  return protocol !== 'http' && rule.effect === 'allow' && rule.paths !== undefined;
}

interface Bucket {
  readonly any: Line[];
  readonly byFirst: Map<string, Line[]>;
}
