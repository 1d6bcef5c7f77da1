/** One statement of a policy, as its author wrote it and with every reference checked. */
export interface Rule {
  readonly id: string;
  readonly effect: 'allow' | 'deny';
  /** `provider:<group>`, `group:<local group>`, `person:<bound e-mail>`, `service:<name>`, `anyone-signed-in` (people) or `anyone` (strangers and services too). */
  readonly who: readonly string[];
  /** `resource:<name>`, `tag:<tag>` or `any-resource`. */
  readonly what: readonly string[];
  /** Exact methods; undefined: all, where LEASE is among them only for a deny. */
  readonly methods: readonly string[] | undefined;
  /** Path patterns; undefined: all paths. */
  readonly paths: readonly string[] | undefined;
  /** Destination patterns, for network resources only; undefined: all that the agent lists. Never beside `paths`. */
  readonly destinations: readonly string[] | undefined;
  /** For people: on a deny, shown to whom it denies; on an allow, to whom it does not cover. */
  readonly message: string | undefined;
}

export interface LocalGroup {
  readonly name: string;
  /** `provider:<group>`, `person:<bound e-mail>` and `service:<name>`; groups in groups are already replaced by their members. */
  readonly members: readonly string[];
}

export interface RuleSet {
  readonly rules: readonly Rule[];
  readonly groups: readonly LocalGroup[];
}
