import { sha256 } from '../../src/lib/bytes.ts';
import { Browser } from './browser.ts';

/** What `postern login` at this relay gets, once the person in `browser` has agreed. */
export async function commandLineToken(origin: string, browser: Browser): Promise<string> {
  const verifier = 'v'.repeat(43);
  const redirectUri = 'http://127.0.0.1:4000/callback';
  const challenge = sha256(verifier).toString('base64url');
  const asked = { redirectUri, state: 's', challenge, machine: 'laptop', answer: 'allow' };
  const { body } = await browser.json(`${origin}/cli/authorize`, 'POST', asked);
  const code = new URL((JSON.parse(body) as { location: string }).location).searchParams.get('code');
  const redeemed = await new Browser().json(`${origin}/cli/token`, 'POST', { code, verifier, redirectUri });
  return (JSON.parse(redeemed.body) as { token: string }).token;
}
