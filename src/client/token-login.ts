import { PosternError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { loadSecret } from '../lib/secret.ts';
import type { Credential } from './credentials.ts';
import { fetchMe } from './me.ts';

/** Takes a token from a file, as of a service, once the relay has said whose it is and until when. */
export async function loginByToken(relay: string, file: string, signal: AbortSignal): Promise<Credential> {
  const token = loadSecret(file);
  if (!/^pst_[\w-]{1,200}$/.test(token.reveal())) {
    throw new PosternError('request_invalid', `${file} does not hold a token of Postern. It begins with pst_.`);
  }
  const { person, session } = await fetchMe({ relay, token, expiresAt: Number.MAX_VALUE, person: '' }, signal);
  const { email, name, subject } = person;
  const whose = printable(email ?? name ?? subject);
  return { relay, token, expiresAt: session.expiresAt, person: whose, byTokenFile: true };
}
