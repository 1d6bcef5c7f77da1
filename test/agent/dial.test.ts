import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dial } from '../../src/agent/dial.ts';

const never = new AbortController().signal;

test('Why a target took no connection says what to look at: its name, or what listens there', async () => {
  await assert.rejects(dial({ kind: 'tcp', host: 'nowhere.invalid', port: 80 }, never), {
    code: 'target_unreachable',
    message: /^nowhere\.invalid:80: the name has no address here \((ENOTFOUND|EAI_AGAIN)\)\.$/,
  });
  await assert.rejects(dial({ kind: 'unix', path: '/nowhere/app.sock' }, never), {
    code: 'target_unreachable',
    message: /did not take the connection \(ENOENT\)\.$/,
  });
});
