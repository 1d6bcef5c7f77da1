import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAuditQuery } from '../../src/audit/query.ts';
import { type FilterField, readFilter, writeFilter } from '../../web/src/audit/query-text.ts';
import { KINDS, TIMES } from '../../web/src/audit/words.ts';

const field = fc.constantFrom<'who' | 'resource' | 'kind'>('who', 'resource', 'kind');
const value = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() === text && text !== '');

describe('Filters as a view of the query', () => {
  it('read what they wrote, and the relay reads the same, whatever the value', () => {
    fc.assert(
      fc.property(field, value, (name, text) => {
        const query = writeFilter('free words', name, text);
        assert.equal(readFilter(query, name), text);
        const parsed = parseAuditQuery(query, 0);
        assert.deepEqual(parsed.fields, { [name]: [text] });
        assert.deepEqual(parsed.words, ['free', 'words']);
      }),
    );
  });

  it('leave the rest alone, and take themselves away again', () => {
    fc.assert(
      fc.property(fc.constantFrom<FilterField>('who', 'resource'), value, value, (name, first, second) => {
        const query = `"${name}:not this" "two words" since:24h method:GET`;
        const twice = writeFilter(writeFilter(query, name, first), name, second);
        assert.equal(readFilter(twice, name), second);
        assert.equal(writeFilter(twice, name, ''), query);
      }),
    );
  });

  it('offer only what the relay understands', () => {
    for (const { value: age } of TIMES) parseAuditQuery(writeFilter('', 'since', age), Date.now());
    for (const { value: kind } of KINDS) parseAuditQuery(writeFilter('', 'kind', kind), 0);
    for (const effect of ['allow', 'deny']) parseAuditQuery(writeFilter('', 'effect', effect), 0);
  });
});
