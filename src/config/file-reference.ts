import { join, resolve } from 'node:path';
import { PosternError } from '../lib/errors.ts';

const CREDENTIAL = 'credential:';

/**
 * Path of a file with a secret. `credential:NAME` is NAME among the credentials that systemd gave this unit
 * (`LoadCredential=`, systemd.exec(5)); anything else is a path relative to `base`. Throws `config_invalid`.
 */
export function resolveSecretFile(base: string, text: string): string {
  if (!text.startsWith(CREDENTIAL)) return resolve(base, text);
  const name = text.slice(CREDENTIAL.length);
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/.test(name))
    throw new PosternError('config_invalid', `"${text}" must name a credential, such as credential:client-secret`);
  const directory = process.env['CREDENTIALS_DIRECTORY'];
  if (!directory)
    throw new PosternError(
      'config_invalid',
      `"${text}" needs systemd: a unit with LoadCredential=${name}:/path/of/the/file. Outside of one, CREDENTIALS_DIRECTORY=/etc/postern says where ${name} is`,
    );
  return join(directory, name);
}
