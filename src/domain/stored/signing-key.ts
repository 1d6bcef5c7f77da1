export interface StoredSigningKey {
  readonly kid: string;
  /** The PEM under the data key. */
  readonly sealed: string;
  /** Epoch ms. */
  readonly createdAt: number;
}
