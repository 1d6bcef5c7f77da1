import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadPolicy } from '../../src/policy/load-policy.ts';
import { watchPolicy } from '../../src/policy/policy-source.ts';
import { checkOf, ISSUER, METRICS, person, verdict, WIKI } from './fixtures.ts';

const surroundings = { resources: [WIKI, METRICS], issuer: ISSUER };
const employee = person({ groups: ['employees'] });

const rule = (id: string, effect = 'allow') =>
  `  - { id: ${id}, effect: ${effect}, who: [provider:employees], what: [resource:wiki] }\n`;

/** A watched directory that holds one allow rule, and its news one by one. */
function watched(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-policy-'));
  const file = join(directory, 'rules.yaml');
  writeFileSync(file, `rules:\n${rule('a')}`);
  const initial = loadPolicy(directory, surroundings);
  const stop = new AbortController();
  const news: (readonly string[])[] = [];
  let policy = initial.policy;
  let wake = () => {};
  const tell = (lines: readonly string[]) => {
    news.push(lines);
    wake();
  };
  const done = watchPolicy(directory, surroundings, {
    initial,
    onLoaded(loaded, difference) {
      policy = loaded.policy;
      tell(['loaded', ...difference]);
    },
    onRefused: (problems) => tell(['refused', ...problems.map((line) => line.replace(`${directory}/`, ''))]),
    signal: stop.signal,
  });
  t.after(async () => {
    stop.abort();
    await done;
    rmSync(directory, { recursive: true, force: true });
  });
  const next = async (): Promise<readonly string[]> => {
    while (news.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return news.shift() ?? [];
  };
  return { directory, file, next, now: () => verdict(policy, checkOf(employee)) };
}

test('a changed file is in force, a bad one leaves the old in force and says where', async (t) => {
  const { file, next, now } = watched(t);
  assert.equal(now(), 'allow a');
  writeFileSync(file, `rules:\n${rule('b', 'deny')}`);
  assert.deepEqual(await next(), ['loaded', '+ rule b', '- rule a']);
  assert.equal(now(), 'deny b');
  writeFileSync(file, `rules:\n${rule('c', 'alow')}`);
  const refused = await next();
  assert.equal(refused[0], 'refused');
  assert.match(refused[1] ?? '', /^rules\.yaml:2:22: .*did you mean "allow"/);
  assert.equal(now(), 'deny b');
  writeFileSync(file, `rules:\n${rule('c')}`);
  assert.deepEqual(await next(), ['loaded', '+ rule c', '- rule b']);
});

test('a file saved beside and renamed over is seen, and a further file, and one that went', async (t) => {
  const { directory, file, next, now } = watched(t);
  writeFileSync(join(directory, '.rules.yaml.swp'), 'not: [yaml');
  writeFileSync(join(directory, 'rules.yaml~'), 'not: [yaml');
  writeFileSync(`${file}.new`, `rules:\n${rule('b')}`);
  renameSync(`${file}.new`, file);
  assert.deepEqual(await next(), ['loaded', '+ rule b', '- rule a']);
  writeFileSync(join(directory, 'more.yaml'), `rules:\n${rule('m', 'deny')}`);
  assert.deepEqual(await next(), ['loaded', '+ rule m']);
  assert.equal(now(), 'deny m');
  rmSync(join(directory, 'more.yaml'));
  assert.deepEqual(await next(), ['loaded', '- rule m']);
});

test('a directory that went and came back', async (t) => {
  const { directory, file, next, now } = watched(t);
  rmSync(directory, { recursive: true });
  const refused = await next();
  assert.match(refused.join('\n'), /^refused\n.*the policy directory cannot be read/);
  assert.equal(now(), 'allow a');
  mkdirSync(directory);
  writeFileSync(file, `rules:\n${rule('back')}`);
  assert.deepEqual(await next(), ['loaded', '+ rule back', '- rule a']);
});

test('a half-written file is not taken for a whole one', async (t) => {
  const { file, next } = watched(t);
  // The deny comes last; without it the file is valid and allows.
  writeFileSync(file, '');
  writeFileSync(file, `rules:\n${rule('open')}`);
  writeFileSync(file, `rules:\n${rule('open')}${rule('shut', 'deny')}`);
  assert.deepEqual(await next(), ['loaded', '+ rule open', '+ rule shut', '- rule a']);
});
