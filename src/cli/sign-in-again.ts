import { openBrowser } from '../client/browser.ts';
import { saveCredential } from '../client/credentials.ts';
import { login } from '../client/login.ts';
import type { Profile } from '../client/profiles.ts';
import { SignInGate } from '../client/tunnel/sign-in-gate.ts';

/**
 * Opens the sign-in of this profile wherever one is due while a command runs; of a program's profile, never. `always`: also
 * where standard error is no terminal, so that perhaps nobody sees that it waits.
 */
export function signInGate(profile: Profile, signal: AbortSignal, { always = false } = {}): SignInGate {
  const mayAsk = !profile.byTokenFile && (always || process.stderr.isTTY);
  return new SignInGate(mayAsk ? () => signInAgain(profile, signal) : undefined);
}

async function signInAgain({ name, relay }: Profile, signal: AbortSignal): Promise<void> {
  const credential = await login({
    relay,
    signal,
    visit: (address) => {
      const what = openBrowser(address) ? 'Your browser should open. If it does not, open' : 'Open';
      process.stderr.write(`${relay} wants you to sign in. ${what} this address:\n\n  ${address}\n\n`);
    },
  });
  saveCredential({ ...credential, profile: name }, process.env, { current: false });
  process.stderr.write(`Signed in as ${credential.person}.\n`);
}
