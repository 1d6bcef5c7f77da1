import { messageOf, PosternError } from '../../lib/errors.ts';

/** Whatever a statement fails with is `database_unavailable` to those above: they refuse, and try again later. */
export async function answer<T>(work: PromiseLike<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof PosternError) throw cause;
    throw new PosternError('database_unavailable', `The database did not answer: ${messageOf(cause)}`, { cause });
  }
}
