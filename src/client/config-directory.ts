import { homedir } from 'node:os';
import { join } from 'node:path';

/** POSTERN_CONFIG_DIR, else `postern` under the XDG base directory for configuration. */
export function configDirectory(env: NodeJS.ProcessEnv): string {
  return env['POSTERN_CONFIG_DIR'] || join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'postern');
}
