import { userInfo } from 'node:os';
import type { Command } from 'commander';

export function addAdminCommand(program: Command): void {
  const admin = program
    .command('admin')
    .summary("what only the relay's machine may do")
    .description("What whoever holds the relay's machine may do, as the relay's own user.");
  admin
    .command('link')
    .description(
      'Prints an address that signs one browser in as admin, once, for 15 minutes, without the provider. Recorded. The relay must run.',
    )
    .requiredOption('--config <file>', 'postern.yaml of the running relay')
    .action(async ({ config }: { config: string }) => {
      const [{ loadRelayConfig }, { askAdminLink }] = await Promise.all([
        import('../config/relay-config.ts'),
        import('./admin-link.ts'),
      ]);
      const { url, expiresAt } = await askAdminLink(loadRelayConfig(config).dataDir, localUser());
      process.stdout.write(`${url}\n`);
      process.stderr.write(`Open it once, before ${new Date(expiresAt).toISOString()}. It is on record.\n`);
    });
}

/** Who typed it, also behind sudo: for the record, not for permission. */
function localUser(): string {
  const behind = process.env['SUDO_USER'];
  const { username } = userInfo();
  return (behind ? `${behind} as ${username}` : username).replace(/\p{Cc}/gu, '').slice(0, 64);
}
