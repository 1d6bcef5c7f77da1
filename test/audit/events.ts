import type { AccessIntent } from '../../src/domain/audit-event.ts';
import { sortableId } from '../../src/lib/id.ts';

/** An intent like those of real traffic. */
export function intent(fields: Partial<AccessIntent> = {}): AccessIntent {
  return {
    kind: 'access.intent',
    id: sortableId(),
    at: Date.now(),
    principal: '3f0c1b9e-58a4-4a55-9c53-5b7f3f1c7c11',
    session: '01939e2a-7c00-7000-8000-000000000001',
    facts: 'ab'.repeat(32),
    access: 'http',
    via: 'cookie',
    resource: 'wiki',
    method: 'GET',
    host: 'wiki.postern.localhost',
    effect: 'allow',
    rule: 'employees-read-the-wiki',
    reasons: ['rule_allowed'],
    policyVersion: 'cd'.repeat(32),
    agent: 'office',
    tunnel: 'tunnel-1',
    stream: 'stream-1',
    ordinal: 1,
    personal: {
      issuer: 'http://localhost:8081',
      subject: 'alice',
      email: 'alice@example.com',
      name: 'Alice',
      groups: ['employees', 'engineering'],
      address: '192.0.2.7',
      userAgent: 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36',
      path: '/docs/welcome',
    },
    ...fields,
  };
}
