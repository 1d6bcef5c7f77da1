import type { Resource } from '../../domain/resource.ts';
import type { RequestHead } from './1-read.ts';

/** Does the body say of itself that it is too large? A chunked one is counted on its way. */
export function isTooLarge({ contentLength }: RequestHead, { bodyLimitBytes }: Resource): boolean {
  return contentLength !== undefined && bodyLimitBytes !== undefined && Number(contentLength) > bodyLimitBytes;
}
