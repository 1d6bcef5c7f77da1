import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../eventually.ts';
import { KINDS } from '../store/databases.ts';
import { type Chromium, openAs, startChromium } from './chromium.ts';
import { signInCommandLine } from './command-line.ts';
import { type RecordingTarget, startRecordingTarget } from './recording-target.ts';
import { referenceOn } from './reference.ts';
import { startWorld, type World } from './world.ts';

for (const database of KINDS) {
  describe(`a private app, on ${database}`, () => {
    const held = new AsyncDisposableStack();
    let world: World;
    let chromium: Chromium;
    let target: RecordingTarget;

    before(async () => {
      chromium = held.use(await startChromium());
      target = held.use(await startRecordingTarget());
      world = held.use(await startWorld({ database, resources: { wiki: target.url } }));
    });
    after(() => held.disposeAsync());

    test('an employee signs in, is allowed, and is in the log under the id that the app got', async () => {
      const page = await openAs(await chromium.person(), 'alice', `${world.origin('wiki')}/docs/a%20b?q=secret`);
      assert.equal(await page.innerText('h1'), 'Recorded');
      const seen = target.seen.find((each) => each.target.startsWith('/docs/'));
      assert.equal(seen?.method, 'GET');
      assert.equal(seen.target, '/docs/a%20b?q=secret');
      assert.equal(seen.headers.cookie ?? '', '', 'no Postern cookie reaches the app');
      assert.ok(seen.headers['x-postern-assertion']);

      const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
      const record = (await auditor.audit('who:alice@example.com resource:wiki')).find(
        ({ id }) => id === seen.headers['x-request-id'],
      );
      assert.equal(record?.kind, 'access.intent');
      assert.equal(record.effect, 'allow');
      assert.equal(record.rule, 'employees-use-everything');
      assert.equal(record.method, 'GET');
      assert.equal(record.personal?.email, 'alice@example.com');
      assert.equal(record.personal.subject, 'alice');
      assert.equal(record.personal.path, '/docs/a%20b');
      assert.match(
        record.personal.query ?? '',
        /^q=~/,
        'the value of a query that the resource did not ask for is not recorded',
      );
      assert.equal(record.outcome?.end, 'completed');
      assert.equal(record.outcome.status, 200);
    });

    test('a contractor gets the page with the sentence of the rule and a reference; the app sees nothing; the log has it', async () => {
      const before = target.seen.length;
      const page = await openAs(await chromium.person(), 'eve', `${world.origin('wiki')}/docs/plans`);
      const text = await page.innerText('body');
      assert.match(text, /This is for employees\./);
      assert.equal(text.includes('employees-use-everything'), false, 'the rule itself is not shown');
      const reference = referenceOn(text);
      assert.equal(target.seen.length, before);

      const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
      const records = await auditor.audit('who:eve@example.com resource:wiki effect:deny');
      const record = records.find(({ id }) => id === reference);
      assert.equal(record?.effect, 'deny');
      assert.equal(record.personal?.path, '/docs/plans');
    });

    test('someone who may not read the log does not', async () => {
      const bob = await signInCommandLine(world, await chromium.person(), 'bob');
      await assert.rejects(bob.audit(''), (error: { code?: number }) => error.code === 5);
    });

    test('a rule that changes on disk is in force without a restart', async () => {
      const context = await chromium.person();
      const page = await openAs(context, 'eve', `${world.origin('wiki')}/`);
      assert.match(await page.innerText('body'), /This is for employees\./);
      world.writePolicy({
        rules: [{ id: 'all', effect: 'allow', who: ['anyone-signed-in'], what: ['any-resource'] }],
      });
      await eventually(async () => (await page.reload())?.status() === 200);
      assert.equal(await page.innerText('h1'), 'Recorded');
    });
  });
}
