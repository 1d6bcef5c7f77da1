import type { Static } from 'typebox';
import { didYouMean } from '../config/did-you-mean.ts';
import { type Place, Problems } from '../config/problem.ts';
import { parseYaml, type YamlDocument } from '../config/yaml-document.ts';
import type { Protocol, Resource } from '../domain/resource.ts';
import { isNetwork, parseDestinationPattern } from './destination-pattern.ts';
import { flattenGroups, type WrittenGroup } from './local-groups.ts';
import { parsePathPattern } from './path-pattern.ts';
import type { PolicyFile } from './policy-files.ts';
import { PolicyFileSchema } from './policy-schema.ts';
import type { Rule, RuleSet } from './rule.ts';
import { ANYONE } from './subjects.ts';

export interface ParsedPolicy extends RuleSet {
  /** `file:line:column: text` for what is allowed but probably not meant. */
  readonly warnings: readonly string[];
}

/** A rule becomes one Casbin line for each combination of who, what and path or destination; more than this must be split. */
const MAX_LINES_PER_RULE = 10_000;

/**
 * Throws `policy_invalid` whose message has one `file:line:column: problem` per line, for all problems at once.
 * Where agents may announce resources, a name that the configuration does not know is only a warning.
 * Without `resources`, what rules say about resources and tags is not compared with anything.
 */
export function parsePolicy(
  files: readonly PolicyFile[],
  resources: readonly Pick<Resource, 'name' | 'tags' | 'protocol'>[] | undefined,
  mayAnnounce = false,
): ParsedPolicy {
  const problems = new Problems();
  const warnings = new Problems();
  const known: Known = {
    resources: resources && new Map(resources.map((each) => [each.name, each.protocol])),
    mayAnnounce,
    tags: resources && new Set(resources.flatMap((each) => each.tags)),
    groups: new Map(),
  };
  const documents = files.flatMap(({ file, text }) => parseYaml(text, file, PolicyFileSchema, problems) ?? []);
  // With a broken file its groups are unknown, and complaints about references to them would mislead.
  problems.throwIfAny('policy_invalid');
  for (const document of documents) readGroups(document, known, problems);
  const groups = flattenGroups(known.groups, problems);
  const places = new Map<string, Place>();
  const rules = documents.flatMap((document) => readRules(document, known, places, problems, warnings));
  problems.throwIfAny('policy_invalid');
  return { rules, groups, warnings: warnings.lines() };
}

type Document = YamlDocument<Static<typeof PolicyFileSchema>>;

interface Known {
  readonly resources: ReadonlyMap<string, Protocol> | undefined;
  /** Agents may bring resources that are not in the configuration. */
  readonly mayAnnounce: boolean;
  readonly tags: ReadonlySet<string> | undefined;
  readonly groups: Map<string, WrittenGroup>;
}

function readGroups(document: Document, known: Known, problems: Problems): void {
  for (const [name, members] of Object.entries(document.value.groups ?? {})) {
    const place = document.keyPlace('groups', name);
    const earlier = known.groups.get(name);
    if (earlier) problems.add(place, `the group "${name}" is already in ${earlier.place.file}:${earlier.place.line}`);
    else
      known.groups.set(name, {
        place,
        members: members.map((member, at) => ({
          member: lowerPerson(member),
          place: document.place('groups', name, at),
        })),
      });
  }
}

function readRules(
  document: Document,
  known: Known,
  places: Map<string, Place>,
  problems: Problems,
  warnings: Problems,
): Rule[] {
  return (document.value.rules ?? []).map((rule, index) => {
    const at: At = (...path) => document.place('rules', index, ...path);
    const earlier = places.get(rule.id);
    if (earlier) problems.add(at('id'), `the rule "${rule.id}" is already in ${earlier.file}:${earlier.line}`);
    else places.set(rule.id, at('id'));
    checkWho(rule, at, known, problems);
    checkWhat(rule, at, known, problems, warnings);
    checkPaths(rule, at, problems, warnings);
    checkDestinations(rule, at, known, problems, warnings);
    checkAnyone(rule, at, problems);
    if (rule.who.length * rule.what.length * ((rule.paths ?? rule.destinations)?.length ?? 1) > MAX_LINES_PER_RULE)
      problems.add(at(), `the rule "${rule.id}" has more than ${MAX_LINES_PER_RULE} combinations; split it`);
    return {
      id: rule.id,
      effect: rule.effect,
      who: rule.who.map(lowerPerson),
      what: rule.what,
      methods: rule.methods,
      paths: rule.paths,
      destinations: rule.destinations,
      message: rule.message,
    };
  });
}

type WrittenRule = NonNullable<Static<typeof PolicyFileSchema>['rules']>[number];
type At = (...path: (string | number)[]) => Place;

function checkWho({ who }: WrittenRule, at: At, known: Known, problems: Problems): void {
  for (const [position, text] of who.entries()) {
    const group = after('group:', text);
    if (group !== undefined && !known.groups.has(group))
      problems.add(
        at('who', position),
        `there is no local group "${group}" under "groups"${didYouMean(group, known.groups.keys())}`,
      );
  }
}

function checkWhat({ what }: WrittenRule, at: At, known: Known, problems: Problems, warnings: Problems): void {
  for (const [position, text] of what.entries()) {
    const resource = after('resource:', text);
    if (resource !== undefined && known.resources && !known.resources.has(resource))
      (known.mayAnnounce ? warnings : problems).add(
        at('what', position),
        `there is no resource "${resource}" in the configuration${didYouMean(resource, known.resources.keys())}`,
      );
    const tag = after('tag:', text);
    if (tag !== undefined && known.tags && !known.tags.has(tag))
      warnings.add(at('what', position), `no resource has the tag "${tag}"${didYouMean(tag, known.tags)}`);
  }
}

function checkPaths({ id, effect, paths }: WrittenRule, at: At, problems: Problems, warnings: Problems): void {
  for (const [position, path] of (paths ?? []).entries()) {
    const pattern = parsePathPattern(path);
    if (typeof pattern === 'string') problems.add(at('paths', position), pattern);
  }
  if (effect === 'deny' && paths)
    warnings.add(
      at('paths'),
      `the rule "${id}" denies by path, and paths are case-sensitive: a target that ignores case serves the same page at another path. Rather allow the paths that are meant`,
    );
}

function checkDestinations(
  { id, effect, what, paths, destinations }: WrittenRule,
  at: At,
  known: Known,
  problems: Problems,
  warnings: Problems,
): void {
  if (!destinations) return;
  if (paths)
    problems.add(
      at('destinations'),
      `the rule "${id}" has "paths" and "destinations": web apps have the one, networks the other`,
    );
  for (const [position, text] of what.entries()) {
    const resource = after('resource:', text) ?? '';
    const protocol = known.resources?.get(resource) ?? 'network';
    if (protocol !== 'network')
      problems.add(at('what', position), `"destinations" are for networks, and resource "${resource}" is ${protocol}`);
  }
  for (const [position, text] of destinations.entries()) {
    const pattern = parseDestinationPattern(text);
    if (typeof pattern === 'string') problems.add(at('destinations', position), pattern);
    else if (effect === 'deny' && !isNetwork(pattern.host) && pattern.host.kind !== 'any')
      warnings.add(
        at('destinations', position),
        `the rule "${id}" denies by name, and names are what was asked for: the same machine may have another name, or be asked for by its address. Deny its address, too`,
      );
  }
}

/** What strangers may do is named one by one. */
function checkAnyone({ id, effect, who, what, methods, paths }: WrittenRule, at: At, problems: Problems): void {
  if (effect !== 'allow' || !who.includes(ANYONE)) return;
  if (!methods || !paths)
    problems.add(
      at(),
      `the rule "${id}" lets in anyone without a sign-in: it must say which "methods" and which "paths"`,
    );
  if (what.includes('any-resource'))
    problems.add(at('what'), `the rule "${id}" lets in anyone: name the resources or a tag, not any-resource`);
}

function after(prefix: string, text: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** E-mails compare in lower case, as a principal's bound e-mail is kept. */
function lowerPerson(text: string): string {
  return text.startsWith('person:') ? text.toLowerCase() : text;
}
