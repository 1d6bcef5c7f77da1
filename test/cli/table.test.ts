import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts, table } from '../../src/cli/table.ts';

const HEAD = ['NAME', 'PROTOCOL', 'HOW'];
const ROWS = [
  ['wiki', 'http', 'https://wiki.access.example.com/'],
  ['db', 'tcp', 'postern connect db'],
];

test('columns as wide as what is in them; without a terminal never folded, never coloured', () => {
  assert.equal(
    table(HEAD, ROWS, { colour: false }),
    [
      'NAME  PROTOCOL  HOW',
      'wiki  http      https://wiki.access.example.com/',
      'db    tcp       postern connect db',
      '',
    ].join('\n'),
  );
});

test('what is too wide for the terminal becomes a block per row', () => {
  assert.equal(
    table(HEAD, ROWS, { colour: false, columns: 40 }),
    [
      'wiki',
      '  Protocol  http',
      '  How       https://wiki.access.example.com/',
      'db',
      '  Protocol  tcp',
      '  How       postern connect db',
      '',
    ].join('\n'),
  );
  assert.match(table(HEAD, ROWS, { colour: false, columns: 48 }), /^NAME  PROTOCOL  HOW\n/);
});

test('colour only where it is wanted', () => {
  assert.match(table(HEAD, ROWS, { colour: true }), /^\u001b\[1mNAME/);
  assert.doesNotMatch(table(HEAD, ROWS, { colour: false }) + facts([['A', 'b']], { colour: false }), /\u001b/);
});

test('text of others does not steer the terminal', () => {
  const text = table(HEAD, [['w\u001b[2Jiki', 'http\r\n', '\u202egpj.exe']], { colour: false });
  assert.doesNotMatch(text, /[\u001b\r\u202e]/);
  assert.equal(text.split('\n').length, 3);
});
