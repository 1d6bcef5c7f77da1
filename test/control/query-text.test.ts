import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type FilterField, readFilter, writeFilter } from '../../web/src/audit/query-text.ts';

const field = fc.constantFrom<FilterField>('person', 'resource', 'effect', 'kind');
const value = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() === text && text !== '');

describe('Filters as a view of the query', () => {
  it('reads what it wrote, whatever the value', () => {
    fc.assert(
      fc.property(field, value, (name, text) => {
        assert.equal(readFilter(writeFilter('free words', name, text), name), text);
      }),
    );
  });

  it('leaves the rest alone, and takes itself away again', () => {
    fc.assert(
      fc.property(field, value, value, (name, first, second) => {
        const query = `-${name}:"not this" "two words" after:24h`;
        const twice = writeFilter(writeFilter(query, name, first), name, second);
        assert.equal(readFilter(twice, name), second);
        assert.equal(writeFilter(twice, name, ''), query);
      }),
    );
  });
});
