import type { DeviceCredential, IssuedCredential } from '../../domain/device-credential.ts';

/** What the relay knows of agents' credentials. */
export interface CredentialPort {
  /** Rejects when the credential is not ours, expired, or of another type. */
  verify(jwt: string): Promise<DeviceCredential>;
  isRevoked(agent: string): boolean;
  /** It gets no new streams. */
  isDrained(agent: string): boolean;
  /** Rejects when the agent may not have one any more. */
  renew(agent: string, keyThumbprint: string): Promise<IssuedCredential>;
}
