import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enrollmentTokenFileText, parseEnrollmentTokenFile } from '../../src/config/enrollment-token.ts';

test('the file of an enrollment token says whose it is, or holds the token alone', () => {
  assert.deepEqual(parseEnrollmentTokenFile(enrollmentTokenFileText('f00d', 'office')), {
    token: 'f00d',
    agent: 'office',
  });
  assert.deepEqual(parseEnrollmentTokenFile('f00d\n'), { token: 'f00d', agent: undefined });
  assert.deepEqual(parseEnrollmentTokenFile(''), { token: '', agent: undefined });
  assert.deepEqual(parseEnrollmentTokenFile('# agent: ../../etc\r\nf00d\r\n'), { token: 'f00d', agent: undefined });
});
