import { hasCode, PosternError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { loadSecret, type Secret } from '../lib/secret.ts';
import type { Credential } from './credentials.ts';
import { fetchMe, type Me } from './me.ts';

/** Takes a token from a file, as of a service, once the relay has said whose it is and until when. */
export async function loginByToken(relay: string, file: string, signal: AbortSignal): Promise<Credential> {
  const token = loadSecret(file);
  if (!/^pst_[\w-]{1,200}$/.test(token.reveal())) {
    throw new PosternError('request_invalid', `${file} does not hold a token of Postern. It begins with pst_.`);
  }
  const { person, session } = await whoIs(relay, token, file, signal);
  const { email, name, subject } = person;
  const whose = printable(email ?? name ?? subject);
  return { relay, token, expiresAt: session.expiresAt, person: whose, byTokenFile: true };
}

async function whoIs(relay: string, token: Secret, file: string, signal: AbortSignal): Promise<Me> {
  try {
    return await fetchMe({ relay, token, expiresAt: Number.MAX_VALUE, person: '' }, signal);
  } catch (error) {
    if (!hasCode(error, 'unauthenticated')) throw error;
    const why = 'It is unknown there, was revoked, or has ended';
    throw new PosternError(
      'token_invalid',
      `${relay} does not take the token in ${file}. ${why}: ask an admin for a new one.`,
    );
  }
}
