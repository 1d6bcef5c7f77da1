import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { recordedQuery } from '../../src/gateway/access/recorded-query.ts';
import { MAX_RECORDED_PARAMETERS } from '../../src/gateway/limits.ts';

const key = Buffer.alloc(32, 1);
const record = (query: string | undefined, recorded: string[] = []) => recordedQuery(query, recorded, key);

describe('the query as the log holds it', () => {
  it('has names in their order, values only where the resource asks', () => {
    assert.equal(record(undefined), undefined);
    assert.equal(record(''), '');
    assert.equal(record('q=a%20b&download', ['q']), 'q=a%20b&download');
    assert.match(record('q=a&t=b&t=b&t=c', ['q']) ?? '', /^q=a&t=~([0-9a-f]{16})&t=~\1&t=~(?!\1)[0-9a-f]{16}$/);
    assert.match(record('%71=a', ['q']) ?? '', /^%71=a$/, 'a name is compared decoded and recorded raw');
    assert.notEqual(record('a=1'), recordedQuery('a=1', [], Buffer.alloc(32, 2)), 'another key, another hash');
  });

  it('never holds a value, nor a bare parameter that could be one', () => {
    assert.match(record('eyJhbGciOiJIUzI1NiJ9.e30.x') ?? '', /^~[0-9a-f]{16}$/);
    const secret = fc.stringMatching(/^[A-Za-z0-9._%+-]{8,40}$/).map((text) => `9${text}`);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'token', 'b[]'), secret), { maxLength: 5 }), (pairs) => {
        const recorded = record(pairs.map(([name, value]) => `${name}=${value}`).join('&')) ?? '';
        for (const [name, value] of pairs) {
          assert.ok(recorded.includes(`${name}=~`));
          assert.ok(!recorded.includes(value));
        }
      }),
    );
  });

  it('is bounded in work', () => {
    const recorded = record('a=1&'.repeat(4000)) ?? '';
    assert.equal(recorded.split('&').length, MAX_RECORDED_PARAMETERS + 1);
  });
});
