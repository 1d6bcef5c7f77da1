import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');

interface Layer {
  /** Layers it may import besides itself. */
  readonly may: readonly string[];
  /** Packages that only the layers naming them may import. */
  readonly owns: readonly string[];
  readonly because: string;
}

const LAYERS: Readonly<Record<string, Layer>> = {
  lib: { may: [], owns: ['pino', 'typebox', 'ipaddr.js'], because: 'it is under everything and has no domain words' },
  domain: { may: [], owns: [], because: 'the words must mean the same without any machinery' },
  token: { may: ['domain', 'lib'], owns: ['jose'], because: 'one strict wrapper signs and verifies our JWTs' },
  proof: { may: [], owns: [], because: 'a verifier that trusts nobody reads all of it' },
  config: {
    may: ['domain', 'lib'],
    owns: ['yaml', 'typebox'],
    because: 'it turns text into values and knows no part that uses them',
  },
  tunnel: { may: ['lib'], owns: ['ws', 'typebox'], because: 'the wire protocol knows bytes and not users' },
  policy: {
    may: ['domain', 'lib', 'config'],
    owns: ['casbin', 'typebox'],
    because: 'deciding is pure: no traffic, no storage',
  },
  audit: {
    may: ['domain', 'lib', 'proof'],
    owns: ['typebox'],
    because: 'the record format must not depend on a database',
  },
  identity: { may: ['domain', 'lib', 'token'], owns: ['openid-client', 'typebox'], because: 'storage is handed to it' },
  store: {
    may: ['domain', 'lib'],
    owns: ['pg', 'drizzle-orm', '@electric-sql/pglite', 'typebox'],
    because: 'only it speaks SQL',
  },
  gateway: {
    may: ['domain', 'lib', 'tunnel', 'token'],
    owns: ['typebox'],
    because: 'the data plane asks through ports: no Fastify, SQL, Casbin or OIDC',
  },
  control: {
    may: ['domain', 'lib', 'policy', 'identity'],
    owns: ['fastify', '@fastify/', 'typebox'],
    because: 'the control plane never touches live traffic directly',
  },
  agent: {
    may: ['domain', 'lib', 'tunnel', 'token', 'config'],
    owns: ['typebox'],
    because: 'it is small, dumb and safe',
  },
  client: {
    may: ['domain', 'lib', 'tunnel', 'config'],
    owns: ['typebox'],
    because: 'it runs on the laptops of people',
  },
  relay: {
    may: [
      'domain',
      'lib',
      'token',
      'proof',
      'config',
      'tunnel',
      'policy',
      'audit',
      'identity',
      'store',
      'gateway',
      'control',
    ],
    owns: ['prom-client', 'typebox'],
    because: 'it is the only place where the planes meet',
  },
  cli: {
    may: ['relay', 'agent', 'client', 'policy', 'audit', 'config', 'domain', 'lib'],
    owns: ['commander', 'typebox'],
    because: 'commands translate words into calls',
  },
};

/** Reachable from an agent or a client these would make it heavy. */
const HEAVY = ['fastify', '@fastify/', 'pg', 'drizzle-orm', '@electric-sql/', 'casbin', 'openid-client', 'undici'];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

const NAMES = String.raw`[\w$*{},\s]+`;
const STATIC_IMPORT = new RegExp(
  String.raw`^(?:import\s+(type\s+)?(?:${NAMES}\sfrom\s+)?|export\s+(type\s+)?${NAMES}\sfrom\s+)['"]([^'"]+)['"]`,
  'gm',
);
const DYNAMIC_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const statics = [...text.matchAll(STATIC_IMPORT)].map(([, asType, reexportedType, to = '']) => ({
    from: file,
    to,
    typeOnly: (asType ?? reexportedType) !== undefined,
    dynamic: false,
  }));
  const dynamics = [...text.matchAll(DYNAMIC_IMPORT)].map(([, to = '']) => ({
    from: file,
    to,
    typeOnly: false,
    dynamic: true,
  }));
  return [...statics, ...dynamics];
}

const layerOf = (file: string): string => relative(src, file).split(/[\\/]/)[0] ?? '';
const nameOf = (file: string): string => relative(root, file);
const isPackage = (to: string): boolean =>
  !to.startsWith('.') && !to.startsWith('node:') && !builtinModules.includes(to);
const isOf = (to: string, owned: string): boolean =>
  owned.endsWith('/') ? to.startsWith(owned) : to === owned || to.startsWith(`${owned}/`);

/** `domain, lib`, `–`, or `all but agent, cli`; what stands in parentheses is for people. Sorted. */
function arrowsOf(text: string): string[] {
  const named = text.replace(/ \([^)]*\)/g, '').match(/[a-z]+/g) ?? [];
  const [all, but, ...rest] = named;
  if (all !== 'all' || but !== 'but') return named.toSorted();
  return Object.keys(LAYERS)
    .filter((layer) => layer !== 'relay' && !rest.includes(layer))
    .toSorted();
}

const files = sourceFiles(src);
const imports = files.flatMap(importsOf);

describe('the house', () => {
  it('is looked at: files and imports of every layer are seen', () => {
    for (const layer of Object.keys(LAYERS))
      assert.ok(
        files.some((file) => layerOf(file) === layer),
        `no file seen in src/${layer}`,
      );
    assert.ok(imports.length > files.length, 'hardly any import was read: the reader of imports is broken');
  });

  it('is as docs/architecture.md says', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const [, table = ''] = /^(\| layer \|[^]*?)\n\n/m.exec(text) ?? [];
    const said = [...table.matchAll(/^\| ([a-z, ]+) \| ([^|]+) \|/gm)].flatMap(([, layers = '', may = '']) =>
      layers.split(', ').map((layer) => [layer, arrowsOf(may)] as const),
    );
    const known = Object.entries(LAYERS).map(([layer, { may }]) => [layer, may.toSorted()] as const);
    assert.deepEqual(Object.fromEntries(said.filter(([layer]) => layer in LAYERS)), Object.fromEntries(known));
  });

  it('imports only along the allowed arrows', () => {
    const wrong = imports.flatMap(({ from, to }) => {
      if (!to.startsWith('.')) return [];
      const layer = layerOf(from);
      const target = layerOf(resolve(dirname(from), to));
      const rule = LAYERS[layer];
      if (layer === 'main.ts')
        return target === 'cli' || target === 'lib' ? [] : [`${nameOf(from)} → ${to}: main.ts only picks a command`];
      if (!rule) return [`${nameOf(from)}: src/${layer} is not a layer of docs/architecture.md`];
      if (target === layer || rule.may.includes(target)) return [];
      return [`${nameOf(from)} → ${to}: ${layer} may not import ${target}, since ${rule.because}`];
    });
    assert.deepEqual(wrong, []);
  });

  it('uses a package only in the layers that own it', () => {
    const owned = new Set(Object.values(LAYERS).flatMap((layer) => layer.owns));
    const wrong = imports.flatMap(({ from, to }) => {
      if (!isPackage(to)) return [];
      if (![...owned].some((name) => isOf(to, name))) return [`${nameOf(from)} → ${to}: no layer owns this package`];
      if (LAYERS[layerOf(from)]?.owns.some((name) => isOf(to, name))) return [];
      return [`${nameOf(from)} → ${to}: only its owners may import it`];
    });
    assert.deepEqual(wrong, []);
  });

  it('has no cycle', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to, typeOnly, dynamic } of imports) {
      if (!to.startsWith('.') || typeOnly || dynamic) continue;
      edges.set(from, [...(edges.get(from) ?? []), resolve(dirname(from), to)]);
    }
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      const at = path.indexOf(file);
      assert.equal(at, -1, `cycle: ${[...path.slice(at), file].map(nameOf).join(' → ')}`);
      if (done.has(file)) return;
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  it('keeps agents and clients light: nothing heavy is reachable from them', () => {
    for (const start of files.filter((file) => ['agent', 'client', 'tunnel'].includes(layerOf(file)))) {
      const seen = new Set<string>();
      const queue = [start];
      for (let file = queue.pop(); file; file = queue.pop()) {
        if (seen.has(file)) continue;
        seen.add(file);
        for (const { to, typeOnly } of importsOf(file)) {
          if (typeOnly) continue;
          if (to.startsWith('.')) queue.push(resolve(dirname(file), to));
          else
            assert.ok(!HEAVY.some((name) => isOf(to, name)), `${nameOf(start)} reaches ${to} through ${nameOf(file)}`);
        }
      }
    }
  });

  it('has no barrels, no vague names and no trial in the product', () => {
    for (const file of files) {
      const name = nameOf(file);
      assert.doesNotMatch(name, /index\.ts$/, 'name the file after what is in it');
      assert.doesNotMatch(name, /(?:^|[/-])(?:utils?|helpers?|common|misc|core|managers?|handlers?)[.-]/);
      assert.doesNotMatch(name, /-services?\.ts$/, 'a service is a program with an identity, not a part of ours');
    }
    for (const { from, to } of imports)
      assert.doesNotMatch(to, /(?:^|\/)(?:trial|bench|test|tools)\//, `${nameOf(from)} imports ${to}`);
  });

  it('gives the console types only', () => {
    const web = join(root, 'web', 'src');
    const all = readdirSync(web, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
      .flatMap((entry) => importsOf(join(entry.parentPath, entry.name)));
    assert.ok(all.length > 0, 'no import of the console was seen');
    for (const { from, to, typeOnly } of all) {
      if (to.startsWith('.') && !resolve(dirname(from), to).startsWith(web))
        assert.ok(typeOnly, `${nameOf(from)} imports code from ${to}`);
    }
  });
});
