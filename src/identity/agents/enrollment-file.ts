import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PosternError } from '../../lib/errors.ts';

/** Replaces the file whole, readable by this user only: a reader sees the old token or the new one. */
export async function writeEnrollmentTokenFile(path: string, token: string): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(`${token}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(aside, 0o600);
    await rename(aside, path);
  } catch (cause) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw new PosternError(
      'config_invalid',
      `The enrollment token cannot be written to ${path}: ${messageOf(cause)}. Let the relay's user write there, or change enrollmentTokenFile.`,
      { cause },
    );
  }
}
