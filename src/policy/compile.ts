import { type Check, type Decision, LEASE, type Policy, type Reason } from '../domain/decision.ts';
import type { Destination } from '../domain/destination.ts';
import type { Principal } from '../domain/principal.ts';
import type { Resource } from '../domain/resource.ts';
import { sha256Hex } from '../lib/bytes.ts';
import { Memo } from '../lib/memo.ts';
import { type Line, lineMatches, linesOf, ResourceLines } from './candidates.ts';
import {
  ALL,
  CandidateEnforcer,
  couldMatch,
  FUNCTION_SET_VERSION,
  loadModelText,
  newModel,
  type Where,
} from './casbin-model.ts';
import { destinationReadings } from './destination-pattern.ts';
import { readingsOf } from './path-readings.ts';
import type { Rule, RuleSet } from './rule.ts';
import { ANYONE, factsKey, groupsByMember, type Subject, subjectsOf } from './subjects.ts';

/** Decisions remembered per policy version; one is about 300 bytes. */
const MAX_DECISIONS = 20_000;
/** Sets of facts (groups, e-mail) remembered. */
const MAX_SUBJECTS = 10_000;
/**
 * Casbin needs about 5 µs for each line. Where more lines than this are candidates, it is asked only about the first that
 * denies and the first that allows: the others cannot change the effect.
 */
const MAX_CASBIN_LINES = 64;
/** Longer paths and methods are decided each time: the memory is bounded in bytes, too. */
const MAX_REMEMBERED_CHARS = 256;

const AMBIGUOUS_MESSAGE =
  'This address has "%2F", "//" or ";" in it. It can be read in more than one way, so it is not passed on.';

/** Rules → a policy version. `issuer` is the provider whose groups and people the rules mean. Throws `policy_invalid`. */
export function compilePolicy(ruleSet: RuleSet, issuer: string): Policy {
  return new CompiledPolicy(ruleSet, issuer);
}

/** Hex SHA-256 of everything that a decision depends on besides the check. */
function policyVersionOf({ rules, groups }: RuleSet, issuer: string): string {
  const canonicalRules = rules.map((rule) => [
    rule.id,
    rule.effect,
    rule.who,
    rule.what,
    rule.methods ?? null,
    rule.paths ?? null,
    rule.destinations ?? null,
    rule.message ?? null,
  ]);
  const canonicalGroups = groups
    .map((group) => [group.name, group.members.toSorted()] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sha256Hex(JSON.stringify([FUNCTION_SET_VERSION, issuer, canonicalRules, canonicalGroups]));
}

class CompiledPolicy implements Policy {
  readonly version: string;
  readonly #enforcer = new CandidateEnforcer(newModel(loadModelText()));
  readonly #linesByObject = new Map<string, Line[]>();
  readonly #byMember: ReadonlyMap<string, readonly string[]>;
  readonly #resources = new WeakMap<Resource, { lines: ResourceLines; key: number }>();
  /** By the object: sessions keep theirs for as long as its facts hold. */
  readonly #subjectOf = new WeakMap<Principal, Subject>();
  readonly #subjects = new Memo<Subject>(MAX_SUBJECTS);
  readonly #decisions = new Memo<Decision>(MAX_DECISIONS);
  #nextResource = 0;
  #nextSubject = 0;

  constructor(ruleSet: RuleSet, issuer: string) {
    this.version = policyVersionOf(ruleSet, issuer);
    this.#byMember = groupsByMember(ruleSet.groups, issuer);
    for (const line of linesOf(ruleSet.rules, issuer)) {
      const object = line.casbin[1] ?? '';
      const lines = this.#linesByObject.get(object);
      if (lines) lines.push(line);
      else this.#linesByObject.set(object, [line]);
    }
  }

  decide(check: Check): Decision {
    try {
      return this.#remembered(check);
    } catch {
      return this.#deny('policy_failed');
    }
  }

  mayReach(principal: Principal, resource: Resource, asked?: Destination): boolean {
    const { lines } = this.#resource(resource);
    const candidates = lines
      .candidates(this.#subject(principal).subjects, undefined)
      .filter(({ casbin }) => asked === undefined || couldMatch(asked, casbin[3] ?? ALL));
    // What is open to strangers (webhooks) makes nobody's app.
    const rules = candidates
      .filter((line) => line.rule.effect === 'deny' || line.casbin[0] !== ANYONE)
      .map((line) => line.rule);
    const closed = rules.some((rule) => rule.effect === 'deny' && !rule.methods && !rule.paths && !rule.destinations);
    return !closed && rules.some((rule) => rule.effect === 'allow');
  }

  leasesOnly(principal: Principal, resource: Resource): boolean {
    if (resource.protocol !== 'tcp' && resource.protocol !== 'ssh') return false;
    const { lines } = this.#resource(resource);
    const rules = lines.candidates(this.#subject(principal).subjects, undefined).map(({ rule }) => rule);
    const connecting = rules.filter((rule) => covers(rule, 'CONNECT'));
    return connecting.length === 0 || connecting.some(({ effect }) => effect === 'deny');
  }

  #remembered(check: Check): Decision {
    const { method, path, destination } = check.action;
    const subject = this.#subject(check.principal);
    const { lines, key } = this.#resource(check.resource);
    // Strangers must not push out what is remembered of people.
    if (check.principal.kind === 'anonymous') return this.#decide(check, lines, subject);
    const whereKey = destination ? destinationKey(destination, lines.byDestination) : lines.byPath ? path.raw : '';
    if (whereKey.length + method.length > MAX_REMEMBERED_CHARS) return this.#decide(check, lines, subject);
    const memoKey = `${subject.key} ${key} ${method} ${whereKey}`;
    const known = this.#decisions.get(memoKey);
    if (known) return known;
    const decision = this.#decide(check, lines, subject);
    this.#decisions.set(memoKey, decision);
    return decision;
  }

  #decide({ action, resource }: Check, lines: ResourceLines, { subjects }: Subject): Decision {
    const { method, path, destination } = action;
    if ((destination !== undefined) !== (resource.protocol === 'network')) return this.#deny('policy_failed');
    if (destination !== undefined) {
      const decision = this.#decideReadings(lines, subjects, method, destinationReadings(destination));
      return decision.effect === 'allow' && destination.address === undefined
        ? this.#deny('destination_unresolved')
        : decision;
    }
    const ambiguous = path.ambiguous && lines.byPath;
    if (ambiguous && resource.paths !== 'lenient') {
      const concerned = lines.candidates(subjects, undefined).length > 0;
      return concerned ? this.#deny('path_ambiguous', undefined, AMBIGUOUS_MESSAGE) : this.#unmatched(lines, method);
    }
    return this.#decideReadings(lines, subjects, method, ambiguous ? readingsOf(path) : [path.segments]);
  }

  #decideReadings(
    lines: ResourceLines,
    subjects: ReadonlySet<string>,
    method: string,
    readings: readonly Where[],
  ): Decision {
    let decision: Decision | undefined;
    for (const where of readings) {
      decision = this.#decideReading(lines, subjects, method, where);
      if (decision.effect === 'deny') return decision;
    }
    return decision ?? this.#deny('policy_failed');
  }

  #decideReading(lines: ResourceLines, subjects: ReadonlySet<string>, method: string, where: Where): Decision {
    const request = { subjects, objects: lines.objects, method, where };
    const candidates = lines.candidates(subjects, ('port' in where ? undefined : where[0]) ?? '');
    if (candidates.length === 0) return this.#unmatched(lines, method);
    const matched = candidates.filter((line) => lineMatches(line, request));
    const denying = first(matched, 'deny');
    const allowing = first(matched, 'allow');
    const asked = candidates.length <= MAX_CASBIN_LINES ? candidates : [denying, allowing];
    const allowed = this.#enforcer.allows(
      asked.flatMap((line) => (line ? [line.casbin] : [])),
      request,
    );
    // Casbin decides; our own reading names the rule. Where the two differ, one of them is wrong.
    if (allowed !== (allowing !== undefined && denying === undefined)) return this.#deny('policy_failed');
    if (allowed) return this.#decision('allow', 'rule_allowed', allowing?.rule);
    if (denying) return this.#deny('rule_denied', denying.rule, denying.rule.message);
    return this.#unmatched(lines, method);
  }

  /** Nothing matched: the sentence comes from the rules that let others in, those for this method first. */
  #unmatched(lines: ResourceLines, method: string): Decision {
    const speaking = lines.allowing.filter((rule) => rule.message !== undefined);
    const rule = speaking.find((each) => covers(each, method)) ?? (method === LEASE ? undefined : speaking[0]);
    return this.#deny('no_rule_matched', undefined, rule?.message);
  }

  #deny(reason: Reason, rule?: Rule, message?: string): Decision {
    return this.#decision('deny', reason, rule, message);
  }

  #decision(effect: Decision['effect'], reason: Reason, rule?: Rule, message?: string): Decision {
    return Object.freeze({ effect, rule: rule?.id, reasons: [reason], message, policyVersion: this.version });
  }

  #subject(principal: Principal): Subject {
    let subject = this.#subjectOf.get(principal);
    if (!subject) {
      const facts = factsKey(principal);
      // A number that is never used again: what was remembered under an older one cannot be reached.
      subject = this.#subjects.get(facts) ?? {
        key: String(this.#nextSubject++),
        subjects: subjectsOf(principal, this.#byMember),
      };
      this.#subjects.set(facts, subject);
      this.#subjectOf.set(principal, subject);
    }
    return subject;
  }

  #resource(resource: Resource): { lines: ResourceLines; key: number } {
    let known = this.#resources.get(resource);
    if (!known) {
      known = { lines: new ResourceLines(resource, this.#linesByObject), key: this.#nextResource++ };
      this.#resources.set(resource, known);
    }
    return known;
  }
}

/** Where no rule looks at destinations or paths, one decision holds for all of them. */
function destinationKey({ host, port, address }: Destination, matters: boolean): string {
  return matters ? `${host} ${port} ${address}` : String(address !== undefined);
}

function covers({ methods }: Rule, method: string): boolean {
  return methods ? methods.includes(method) : method !== LEASE;
}

function first(lines: readonly Line[], effect: Rule['effect']): Line | undefined {
  let found: Line | undefined;
  for (const line of lines) if (line.rule.effect === effect && (!found || line.order < found.order)) found = line;
  return found;
}
