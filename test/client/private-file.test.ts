import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTextFile, writePrivateFile } from '../../src/client/private-file.ts';
import { temporaryDirectory } from '../store/databases.ts';

const REFUSED = {
  code: 'config_invalid',
  message: /cannot be (read|written): .*Run this as the user whose file it is/,
};

test('A file that cannot be read or written is named, with what to do', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'profile.json');
  assert.equal(readTextFile(file), undefined);
  writePrivateFile(file, '{}');
  assert.equal(readTextFile(file), '{}');

  mkdirSync(join(directory.path, 'taken'));
  assert.throws(() => readTextFile(join(directory.path, 'taken')), REFUSED);
  assert.throws(() => writePrivateFile(join(file, 'below'), '{}'), REFUSED);
});
