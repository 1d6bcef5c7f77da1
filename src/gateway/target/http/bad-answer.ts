/** The target's bytes are no answer that can be read in exactly one way. */
export class BadAnswerError extends Error {
  override readonly name = 'BadAnswerError';
}
