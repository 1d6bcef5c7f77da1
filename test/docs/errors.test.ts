import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PROBLEM_CODES, type ProblemCode, problemOf } from '../../src/control/problem.ts';
import { closeCodeOf, type TunnelEndCode } from '../../src/tunnel/tunnel-end.ts';
import { unionMembers } from './union-members.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = (path: string) => readFileSync(join(root, path), 'utf8');
const page = source('docs/reference/errors.md');

/** Rows of the table below a heading: cells without their backquotes. */
function rows(heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? assert.fail(heading);
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  const cells = lines.slice(1).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
  for (const row of cells)
    assert.ok(
      row.every((cell) => cell !== ''),
      `an empty cell: ${row.join(' | ')}`,
    );
  return cells;
}

const column = (heading: string, at = 0) => rows(heading).map((cells) => cells[at] ?? '');

const same = (actual: Iterable<string>, expected: Iterable<string>) => {
  const found = [...expected];
  assert.ok(found.length >= 5, 'the source was read');
  assert.deepEqual([...actual].toSorted(), found.toSorted());
};

describe('docs/reference/errors.md', () => {
  it('has every code with the status it has, and no other', () => {
    const codes = [...unionMembers('src/lib/errors.ts', 'ErrorCode'), 'internal_error'];
    same(PROBLEM_CODES, codes);
    same(column('Codes'), codes);
    assert.deepEqual(column('Codes'), column('Codes').toSorted(), 'in order');
    for (const [code = '', status] of rows('Codes')) {
      const problem = problemOf({ code: code as ProblemCode, message: '' }, '');
      assert.equal(String(problem.status), status, code);
    }
  });

  it('has what is refused on the host of an app', () => {
    const gateway = join(root, 'src/gateway');
    const files = readdirSync(gateway, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
    const text = files.map((each) => readFileSync(join(each.parentPath, each.name), 'utf8')).join('\n');
    const made = [...text.matchAll(/\brefusal\(\s*(\d{3}),\s*'(\w+)'/g)].map(([, status, code]) => `${status} ${code}`);
    const unread = [...text.matchAll(/\bbadRequest\((\d{3}),/g)].map(([, status]) => `${status} request_invalid`);
    same(
      rows('On the host of an app').map(([status, code]) => `${status} ${code}`),
      new Set([...made, ...unread]),
    );
  });

  it('has the reasons and ends of accesses', () => {
    same(column('Why an access was decided so'), unionMembers('src/domain/decision.ts', 'Reason'));
    same(column('How an access ended'), unionMembers('src/domain/audit-event.ts', 'AccessEnd'));
    same(column('Why something was cut'), unionMembers('src/domain/change.ts', 'TerminationReason'));
  });

  it('has the ends of tunnels with their close codes, and how the opening of a stream is refused', () => {
    same(column('Why a tunnel ended', 1), unionMembers('src/tunnel/tunnel-end.ts', 'TunnelEndCode'));
    for (const [number, name = ''] of rows('Why a tunnel ended')) {
      assert.equal(String(closeCodeOf(name as TunnelEndCode)), number, name);
    }
    const refusals = /const Refusal = Type\.Union\(\[([^\]]+)\]/.exec(source('src/tunnel/stream-header.ts'))?.[1] ?? '';
    same(
      column('Why a stream was not opened'),
      [...refusals.matchAll(/'(\w+)'/g)].map(([, code]) => code ?? ''),
    );
  });

  it('leads only to places that exist', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('#')) {
        const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, text = '']) =>
          text.toLowerCase().replaceAll(' ', '-'),
        );
        assert.ok(headings.includes(target.slice(1)), target);
      } else source(join('docs/reference', target));
    }
  });
});
