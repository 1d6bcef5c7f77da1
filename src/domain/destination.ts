/** Where a connection through a network resource goes. */
export interface Destination {
  /** As asked for: a lower-case name, or an address in its usual text. */
  readonly host: string;
  readonly port: number;
  /** What the agent dials. Undefined while nobody has resolved the name: then only a deny can come of it. */
  readonly address: string | undefined;
}
