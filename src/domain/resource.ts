/** Which fact about the principal a plain identity header carries to the target. */
export type IdentityFact = 'email' | 'name' | 'groups' | 'subject' | 'id';

/**
 * http: requests are read one by one; tcp and ssh: connections from the command line, their bytes unread; network: such
 * connections to any destination that the agent lists.
 */
export type Protocol = 'http' | 'tcp' | 'ssh' | 'network';

/** What is protected and has a policy. */
export interface Resource {
  readonly name: string;
  readonly protocol: Protocol;
  readonly title: string;
  readonly description: string | undefined;
  /** Lower case, without port: the first of `hosts`; empty where the protocol is not http. */
  readonly host: string;
  /** Every host name it is reached by, none where the protocol is not http. Each keeps a cookie of its own; rules and records know only the resource. */
  readonly hosts: readonly string[];
  /** Origin that people use: scheme, host and port; the audience of the assertion and of tokens. Empty where the protocol is not http. */
  readonly origin: string;
  /** The origins of `hosts`, in their order. Pages of one may send unsafe methods to another. */
  readonly origins: readonly string[];
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
  /** Host that the target gets instead of the client's; then the record holds both. */
  readonly targetHost: string | undefined;
  readonly timeouts: {
    /** For the target's header section. */
    readonly headersMs: number;
    /** For silence of the target within a body. */
    readonly idleMs: number;
  };
  /** Largest body of a request; undefined: no limit. */
  readonly bodyLimitBytes: number | undefined;
  /** Forms that other sites may post with the person's cookie: SAML responses, `response_mode=form_post`. */
  readonly unsafeFrom: UnsafeFrom | undefined;
  /** An agent brought it; nobody wrote it into the relay's file. Rules that allow must name it. */
  readonly announced?: true;
}

export interface UnsafeFrom {
  /** Exact raw paths. */
  readonly paths: readonly string[];
  readonly origins: readonly string[];
}

/** What a resource has that says nothing about these. */
export const DEFAULT_SETTINGS = {
  targetHost: undefined,
  // Server-sent events are silent for long.
  timeouts: { headersMs: 5 * 60_000, idleMs: 15 * 60_000 },
  bodyLimitBytes: undefined,
  unsafeFrom: undefined,
} as const;
