import type { CustomFetch } from 'openid-client';
import { PosternError } from '../../lib/errors.ts';

/** Metadata, keys, tokens and claims are a few kB each; a thousand groups are below 300 kB. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** `fetch` that reads the whole answer within the limit of the request's own signal, and no more than is bearable: else `sign_in_refused`. */
export const boundedFetch: CustomFetch = async (url, { body, ...options }) => {
  const answer = await fetch(url, { ...options, body: body ?? null });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the body.
    if (bytes > MAX_ANSWER_BYTES)
      throw new PosternError('sign_in_refused', `The provider's answer is longer than ${MAX_ANSWER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  const { status, statusText, headers } = answer;
  return new Response(bytes === 0 ? null : Buffer.concat(chunks), { status, statusText, headers });
};
