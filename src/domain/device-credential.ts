/** What a valid device credential says: for some minutes its bearer is this agent. */
export interface DeviceCredential {
  readonly agent: string;
  /** Whoever presents it must prove this key: `cnf.jkt` (RFC 7800), the RFC 7638 thumbprint. */
  readonly keyThumbprint: string;
  readonly jti: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** What the agent may announce beyond the relay's file: names, `*` for any characters. */
  readonly scope: readonly string[];
}

export interface IssuedCredential {
  /** A JWT. */
  readonly credential: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}
