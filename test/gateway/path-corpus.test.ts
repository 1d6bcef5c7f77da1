import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildPolicy } from '../../src/policy/load-policy.ts';
import { resource } from '../policy/fixtures.ts';
import { asAlice, createWorld, type World } from './world.ts';

/** What clients of these products really send; the ambiguous ones hold %2F, `//` or `;`. */
const CORPUS: Readonly<Record<string, readonly string[]>> = {
  gitlab: [
    '/api/v4/projects/group%2Fsub%2Fproject',
    '/api/v4/projects/7/repository/files/app%2Fmodels%2Fkey%2Erb/raw?ref=feature%2Fx',
    '/api/v4/projects/group%2Fproject/repository/branches/feature%2Fx',
    '/api/v4/projects/group%2Fproject/packages/npm/@scope%2fname',
    '/group/sub/project/-/blob/main/docs/a%20b%2Bc.md?plain=1',
    '/group/project/-/tree/feature%2Fx/src',
    '/group/project.git/info/refs?service=git-upload-pack',
    '/uploads/-/system//user/avatar/1/a.png',
    '/assets/webpack/main.0f3a~runtime.chunk.js',
  ],
  npm: [
    '/@scope%2fname',
    '/@scope%2Fname',
    '/@scope/name/-/name-1.0.0.tgz',
    '/-/package/@scope%2fname/dist-tags/latest',
    '/-/v1/search?text=scope:x%20keywords:y&size=20',
    '/-/user/org.couchdb.user:alice/-rev/1-abc',
    '/name/-/name-1.0.0-beta.1+build.5.tgz',
  ],
  rabbitmq: [
    '/api/queues/%2F/my-queue',
    '/api/queues/%2f/a%2Fb/get',
    '/api/exchanges/%2F/amq.default/publish',
    '/api/bindings/%2F/e/logs/q/errors/%7E',
    '/api/vhosts/%2F/permissions',
    '/api/parameters/shovel/%2F/my%20shovel',
    '/ws/stomp;transport=websocket/info',
  ],
  gitea: [
    '/api/v1/repos/o/r/contents/dir/file%20name.txt?ref=main',
    '/o/r/src/branch/feature%2Fx/README.md',
    '/o/r/src/branch/feature/x/a;b.txt',
    '/o/r//raw/branch/main/file',
    '/api/packages/o/npm/@scope%2fname',
    '/v2/o/r/manifests/sha256:0f3a',
    '/o/r/compare/main...feature%2Fx',
  ],
  others: [
    '/job/folder/job/x/lastBuild/api/json?tree=jobs%5Bname%5D',
    '/app/page.jsp;jsessionid=0F3A?x=1',
    '//twice//as//many/',
    "/~user/!$&'()*+,=:@-._",
    '/%E2%82%AC/%e2%82%ac/caf%C3%A9',
    '/?',
    '/a?b?c=/d//e;f%2F',
  ],
};
const ALL = Object.values(CORPUS).flat();

function useRules(world: World, paths: 'strict' | 'lenient', yaml: string): void {
  const wiki = resource('wiki', { paths });
  const { policy } = buildPolicy([{ file: 'policy.yaml', text: yaml }], {
    resources: [wiki],
    issuer: 'https://provider.test',
  });
  world.resource({ paths });
  world.decide = (check) => policy.decide(check);
}

async function statusOf(world: World, target: string): Promise<number> {
  return (await world.get(target, asAlice)).status;
}

function rules(...lines: string[]): string {
  return `rules:\n${lines.map((line, at) => `  - { id: r${at}, what: [resource:wiki], ${line} }\n`).join('')}`;
}

describe('the paths of GitLab, npm, RabbitMQ, Gitea and others', () => {
  it('pass byte for byte where no rule looks at paths', async () => {
    await using world = await createWorld((_req, res) => res.end());
    useRules(world, 'strict', rules('effect: allow, who: [provider:staff]'));
    for (const target of ALL) {
      assert.equal(await statusOf(world, target), 200, target);
      assert.equal(world.seen.at(-1)?.url, target);
      const { path, query } = world.audit.intents.at(-1)?.personal ?? {};
      assert.equal(path, target.split('?')[0]);
      assert.equal(query !== undefined, target.includes('?'), target);
    }
  });

  it('pass on a lenient resource where every reading is allowed', async () => {
    await using world = await createWorld((_req, res) => res.end());
    useRules(
      world,
      'lenient',
      rules(
        'effect: allow, who: [provider:staff], paths: [/**]',
        'effect: deny, who: [provider:staff], paths: [/admin/**]',
      ),
    );
    for (const target of ALL) {
      assert.equal(await statusOf(world, target), 200, target);
      assert.equal(world.seen.at(-1)?.url, target);
    }
  });

  it('are refused there where one reading is denied', async () => {
    await using world = await createWorld((_req, res) => res.end());
    useRules(
      world,
      'lenient',
      rules(
        'effect: allow, who: [provider:staff], paths: [/**]',
        'effect: deny, who: [provider:staff], paths: [/admin/**]',
      ),
    );
    for (const target of [
      '/admin/x',
      '//admin/x',
      '/admin%2Fx',
      '/admin;a=b/x',
      '/%61dmin//x',
      '/admin%2fx;y',
      '/%2Fadmin/x',
    ])
      assert.equal(await statusOf(world, target), 403, target);
    assert.equal(world.seen.length, 0);
  });

  it('are refused on a strict resource with a rule about paths, the ambiguous ones alone', async () => {
    await using world = await createWorld((_req, res) => res.end());
    useRules(world, 'strict', rules('effect: allow, who: [provider:staff], paths: [/**]'));
    let refused = 0;
    for (const target of ALL) {
      const isAmbiguous = /%2f|;|\/\//i.test(target.split('?')[0] ?? '');
      assert.equal(await statusOf(world, target), isAmbiguous ? 403 : 200, target);
      if (isAmbiguous) refused += 1;
    }
    assert.ok(refused > 15);
    assert.equal(world.seen.length, ALL.length - refused);
  });
});
