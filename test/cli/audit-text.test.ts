import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditLines } from '../../src/cli/audit-text.ts';

const ROW: Parameters<typeof auditLines>[0][number] = {
  id: '01a1f9f6-c701-7000-9478-5cc7dcefcdfb',
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  person: { name: 'Eve', email: 'eve@example.com' },
  actor: 'person 1cf0e0c4',
  summary: 'wiki.example.com/',
  method: 'GET',
  effect: 'allow',
  end: 'completed',
  status: 200,
};

/** Between time and reference. */
function middle(change: Partial<typeof ROW>): string {
  const line = auditLines([{ ...ROW, ...change }]);
  assert.match(line, /^2026-01-02T03:04:05\.000Z {2}.* {2}01a1f9f6-c701-7000-9478-5cc7dcefcdfb\n$/);
  return line.split('  ').slice(1, -1).join('  ');
}

test('An access says who, what was decided, and what came of it', () => {
  assert.equal(middle({}), 'eve@example.com  allowed, 200  GET wiki.example.com/');
  assert.equal(middle({ effect: 'deny', end: null, status: null }), 'eve@example.com  denied  GET wiki.example.com/');
  assert.equal(middle({ end: null, status: null }), 'eve@example.com  allowed, no end yet  GET wiki.example.com/');
  assert.equal(
    middle({ method: 'CONNECT', summary: 'Connection to db', end: 'target_unreachable', status: null }),
    'eve@example.com  allowed, target unreachable  Connection to db',
  );
});

test('An event without a person says who acted', () => {
  const event = { method: null, effect: null, end: null, status: null };
  assert.equal(
    middle({ ...event, person: null, actor: 'agent office', summary: 'Connected' }),
    'agent office  Connected',
  );
});

test('What a stranger wrote does not reach the terminal as it came', () => {
  assert.ok(!auditLines([{ ...ROW, summary: 'wiki.example.com/\u001b[2J' }]).includes('\u001b'));
});
