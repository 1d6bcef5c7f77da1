import { userInfo } from 'node:os';
import { relative } from 'node:path';
import { ACCOUNTS } from './accounts.ts';
import { originOf, type Settings } from './settings.ts';

/** What a newcomer reads when everything is up. */
export function tour(
  settings: Settings,
  { policies, providerPort }: { policies: string; providerPort: number },
): string {
  const { relay } = settings;
  const rules = shortest(policies);
  const people = ACCOUNTS.map(({ id, about }) => `    ${id.padEnd(8)}${about}`).join('\n');
  return `
Postern is ready: ${relay}
${overSsh(settings, providerPort)}
  Sign in as (the password is the name):
${people}

  A short tour
    1. Be denied.       Open ${originOf(settings, 'wiki')} and sign in as eve, a contractor.
    2. Edit a rule.     In ${rules}/trial.yaml, give the rule employees-use-the-wiki
                        who: [provider:employees, provider:contractors] and save.
    3. Be allowed.      Reload the page. Rules are in force as soon as they are valid.
    4. Find the record. Open ${relay} and sign out (top right), sign in there as audrey,
                        the auditor, and search the audit log for the reference of the denied page.

  Your own app on localhost:3000, behind Postern (from another terminal):
    npm start -- add myapp localhost:3000

  Also there: ${originOf(settings, 'metrics')} (engineering), ${originOf(settings, 'echo')} (WebSocket).
  Ctrl-C stops everything. Data stays in ${shortest(settings.directory)}
`;
}

function overSsh({ ssh, port }: Settings, providerPort: number): string {
  if (ssh === undefined) return '';
  const [, , server = 'this-machine'] = ssh.split(' ');
  const forward = [port, providerPort].map((each) => `-L ${each}:127.0.0.1:${each}`).join(' ');
  return `
  You are here over SSH. On your own machine, run this and open the address there:
    ssh -N ${forward} ${userInfo().username}@${server}
`;
}

/** From here where that is inside, else from the root. */
function shortest(path: string): string {
  const here = relative(process.cwd(), path);
  return here === '' || here.startsWith('..') ? path : here;
}
