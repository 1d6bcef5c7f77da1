/** What a valid device credential says. */
export interface DeviceCredential {
  readonly agent: string;
  /** `cnf.jkt`: RFC 7638 thumbprint of the key that must prove itself. */
  readonly keyThumbprint: string;
  readonly jti: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** What the agent may announce beyond the relay's file: names, `*` for any characters. */
  readonly scope: readonly string[];
}

export interface CredentialPort {
  /** Rejects when the credential is not ours, expired, or of another type. */
  verify(jwt: string): Promise<DeviceCredential>;
  isRevoked(agent: string): boolean;
  /** It gets no new streams. */
  isDrained(agent: string): boolean;
  /** Rejects when the agent may not have one any more. */
  renew(agent: string, keyThumbprint: string): Promise<{ credential: string; expiresAt: number }>;
}
