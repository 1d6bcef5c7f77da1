/** Machines that wait for a person's word (RFC 8628). */
export interface DeviceCodeStore {
  /** Counts those that wait and adds this one in one step. `taken`: another has this user code. */
  add(
    code: NewDeviceCode,
    bounds: { readonly perNetwork: number; readonly inAll: number },
  ): Promise<'added' | 'full' | 'taken'>;
  /** By the hash of its user code; undefined when it is unknown, answered or over. */
  findWaiting(
    userCode: string,
    nowMs: number,
  ): Promise<Pick<NewDeviceCode, 'machine' | 'address' | 'askedAt'> | undefined>;
  /** With the session that agrees; undefined: refused. Once; false when it does not wait. */
  answer(userCode: string, session: string | undefined, nowMs: number): Promise<boolean>;
  /** Once answered, it is gone with this. */
  poll(
    hash: string,
    pace: { readonly slackMs: number; readonly stepMs: number; readonly mostMs: number },
    nowMs: number,
  ): Promise<
    | { readonly state: 'pending' | 'slow_down'; readonly intervalMs: number }
    | { readonly state: 'refused' | 'expired' }
    | ({ readonly state: 'allowed' } & AllowedDevice)
  >;
}

interface NewDeviceCode {
  readonly hash: string;
  readonly userCode: string;
  readonly machine: string;
  readonly address: string;
  readonly network: string;
  readonly askedAt: number;
  readonly expiresAt: number;
  readonly intervalMs: number;
}

/** A machine that a person let act as them. */
export interface AllowedDevice {
  readonly session: string;
  readonly machine: string;
  readonly address: string;
}
