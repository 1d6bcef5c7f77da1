/** Which fact about the principal a plain identity header carries to the target. */
export type IdentityFact = 'email' | 'name' | 'groups' | 'subject' | 'id';

/** What is protected and has a policy. */
export interface Resource {
  readonly name: string;
  readonly title: string;
  readonly description: string | undefined;
  /** Lower case, without port. */
  readonly host: string;
  /** Origin that people use: scheme, host and port; the audience of the assertion. */
  readonly origin: string;
  readonly tags: readonly string[];
  /** Whom to ask for access, for the denied page. */
  readonly owner: string | undefined;
  /** Names of the agents that may serve it. */
  readonly agents: readonly string[];
  /** lenient: a path with several readings is decided in every reading, and the strictest wins; strict: refused where a path rule applies. */
  readonly paths: 'strict' | 'lenient';
  readonly websocket: boolean;
  /** Origins besides its own that may send unsafe methods and upgrades with a cookie. */
  readonly corsOrigins: readonly string[];
  /** Lower-case header name → fact. */
  readonly identityHeaders: Readonly<Record<string, IdentityFact>>;
  /** Query parameters whose values are recorded in full; of others only the name and a keyed hash. */
  readonly recordedQuery: readonly string[];
}
