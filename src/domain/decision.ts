import type { Destination } from './destination.ts';
import type { Principal } from './principal.ts';
import type { RequestPath } from './request-path.ts';
import type { Resource } from './resource.ts';

/** The method of leased ports: allowed by rules that name it, and never by those for all methods. */
export const LEASE = 'LEASE';

/** What the policy is asked. */
export interface Check {
  readonly principal: Principal;
  readonly resource: Resource;
  readonly action: {
    readonly kind: 'http' | 'websocket' | 'tcp';
    /** Upper case as received; methods are case-sensitive (RFC 9110 §9.1). For tcp `CONNECT` or `LEASE`, which no HTTP request may have. */
    readonly method: string;
    /** `NO_PATH` for tcp. */
    readonly path: RequestPath;
    /** Of a connection through a network resource, and only there. */
    readonly destination?: Destination | undefined;
  };
}

/** Closed: recorded, shown in explanations, looked up in the docs. Never shown to a denied person. */
export type Reason =
  | 'rule_allowed'
  | 'rule_denied'
  | 'no_rule_matched'
  | 'path_ambiguous'
  /** Of a service token: it names other resources. */
  | 'out_of_scope'
  /** The agent found no address for the name, or none that it serves, and no rule denied by name. */
  | 'destination_unresolved'
  | 'no_policy'
  | 'policy_failed';

/** A value, never an exception. */
export interface Decision {
  readonly effect: 'allow' | 'deny';
  /** Id of the rule that settled it; undefined when none matched. */
  readonly rule: string | undefined;
  readonly reasons: readonly Reason[];
  /** The rule's own sentence for the person who is denied. */
  readonly message: string | undefined;
  /** Hex SHA-256 of the policy (rules, local groups, function set) that decided. */
  readonly policyVersion: string;
}

/** A policy version, ready to decide. Synchronous and total: doubt and failure are a deny. */
export interface Policy {
  readonly version: string;
  decide(check: Check): Decision;
  /**
   * May this principal reach anything at all of the resource; with `asked`, a name that nobody has resolved yet, anything at
   * that name? For the launcher, and before a name is resolved; never for a decision.
   */
  mayReach(principal: Principal, resource: Resource, asked?: Destination): boolean;
  /** Of a tcp or ssh resource that they may reach: by a leased port alone? For lists; never for a decision. */
  leasesOnly(principal: Principal, resource: Resource): boolean;
}
