import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditRow } from '../../src/control/api/audit-row.ts';
import type { AuditLogEntry } from '../../src/control/ports.ts';

const CONNECTION = {
  id: '01a1f9f6-c701-7000-9478-5cc7dcefcdfb',
  at: 1,
  kind: 'access.intent',
  access: 'tcp',
  via: 'token',
  method: 'CONNECT',
  resource: 'lan',
  host: 'db1.lan:5432',
  effect: 'deny',
  reasons: ['no_rule_matched'],
  policyVersion: 'v',
};

function destinationOf(change: Record<string, unknown>): string | null {
  const event = { ...CONNECTION, ...change } as unknown as AuditLogEntry['event'];
  return auditRow({
    event,
    outcome: undefined,
    facts: undefined,
    recorded: { id: event.id, log: 'r', index: 0, leafHash: '' },
  }).destination;
}

test('The row of a connection into a network says where to', () => {
  assert.equal(destinationOf({}), 'db1.lan:5432');
  assert.equal(destinationOf({ destination: '10.0.0.7:5432' }), 'db1.lan:5432 at 10.0.0.7:5432');
  assert.equal(destinationOf({ host: '10.0.0.7:5432', destination: '10.0.0.7:5432' }), '10.0.0.7:5432');
});

test('That of one to a resource with one target says nothing beside its name', () => {
  assert.equal(destinationOf({ resource: 'db', host: 'db' }), null);
  assert.equal(destinationOf({ resource: 'db', host: 'db', method: 'LEASE' }), null);
  assert.equal(destinationOf({ access: 'http', host: 'wiki.example.com', method: 'GET' }), null);
});
