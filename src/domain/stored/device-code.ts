/** A machine that waits for a person's word (RFC 8628). Hashes are hex SHA-256, times epoch ms. */
export interface NewDeviceCode extends AskingDevice {
  readonly hash: string;
  /** Its hash. */
  readonly userCode: string;
  readonly network: string;
  readonly expiresAt: number;
  readonly intervalMs: number;
}

/** What the person is shown before they answer. */
export interface AskingDevice {
  readonly machine: string;
  readonly address: string;
  readonly askedAt: number;
}

/** How many may wait. */
export interface DeviceCodeBounds {
  readonly perNetwork: number;
  readonly inAll: number;
}

/** Who polls sooner than the interval less `slackMs` must wait `stepMs` longer from then on, up to `mostMs`. */
export interface PollPace {
  readonly slackMs: number;
  readonly stepMs: number;
  readonly mostMs: number;
}

export type PolledDeviceCode =
  | { readonly state: 'pending' | 'slow_down'; readonly intervalMs: number }
  | { readonly state: 'refused' | 'expired' }
  | ({ readonly state: 'allowed' } & AllowedDevice);

/** A machine that a person let act as them. */
export interface AllowedDevice {
  readonly session: string;
  readonly machine: string;
  readonly address: string;
}
