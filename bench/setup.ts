/** One way to reach the target, ready to be measured. */
export interface Setup {
  readonly name: SetupName;
  readonly port: number;
  /** Sent with every request, e.g. Host and Cookie. */
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: readonly Part[];
  /** Of programs that only this setup needs. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Throws unless what must have happened besides the answers (the audit) did, for `requests` that the target saw since the last call. */
  readonly confirm?: (requests: number) => Promise<void>;
}

/** A process (with its descendants) whose cost is reported under one name. */
export interface Part {
  readonly name: string;
  readonly pid: number;
  /** False for what any setup needs or what is shown apart: target, PostgreSQL. */
  readonly own: boolean;
}

export const SETUP_NAMES = ['target', 'nginx', 'node', 'ssh', 'postern', 'postern-embedded'] as const;
export type SetupName = (typeof SETUP_NAMES)[number];

export const SETUP_TITLES: Readonly<Record<SetupName, string>> = {
  target: 'target alone',
  nginx: 'nginx, plain reverse proxy',
  node: 'bare Node reverse proxy',
  ssh: 'ssh -R',
  postern: 'Postern, PostgreSQL',
  'postern-embedded': 'Postern, embedded database',
};

/** A measurement that cannot be trusted or a part that did not start. Nothing is reported then. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}
