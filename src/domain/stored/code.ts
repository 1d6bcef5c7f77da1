/** A code that is redeemed once, within a minute, only with what it is bound to. */
export interface NewCode extends CodeBinding, RedeemedCode {
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface CodeBinding {
  /** Hex SHA-256 of the code. */
  readonly hash: string;
  readonly kind: 'hand_off' | 'command_line';
  /** Resource host, or the loopback redirect URI of a command line. */
  readonly audience: string;
  /** Base64url SHA-256 of what only the right browser or process knows. */
  readonly challenge: string;
}

export interface RedeemedCode {
  readonly session: string;
  /** Which machine asked. */
  readonly label: string | undefined;
}
