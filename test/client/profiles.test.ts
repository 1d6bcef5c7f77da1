import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { forgetCredential, loadCredential, saveCredential } from '../../src/client/credentials.ts';
import { defaultProfileName } from '../../src/client/profile-name.ts';
import {
  chooseProfile,
  currentProfile,
  listProfiles,
  loginCommand,
  profileNameFor,
  useProfile,
} from '../../src/client/profiles.ts';
import { hasCode } from '../../src/lib/errors.ts';
import { Secret } from '../../src/lib/secret.ts';

const root = mkdtempSync(join(tmpdir(), 'postern-profiles-'));
after(() => rmSync(root, { recursive: true, force: true }));
const newEnv = (more = {}) => ({ POSTERN_CONFIG_DIR: join(mkdtempSync(join(root, 'x-')), 'postern'), ...more });

const A = 'https://a.example';
const B = 'https://b.example:8443';
const credential = (relay: string, person: string) => ({
  relay,
  token: new Secret(`pst_${person}`),
  expiresAt: 2000,
  person,
});
const tokenAt = (at: Parameters<typeof loadCredential>[0], env: NodeJS.ProcessEnv) =>
  loadCredential(at, env, 1000).token.reveal();
const code = (expected: Parameters<typeof hasCode>[1]) => (error: unknown) => hasCode(error, expected);

test('credentials are kept for this user only, per profile, and the last one is current', () => {
  const env = newEnv();
  saveCredential(credential(A, 'alice'), env);
  const path = saveCredential(credential(B, 'bob'), env);
  assert.match(path, /profiles\/b\.example-8443\.json$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
  assert.equal(tokenAt({}, env), 'pst_bob');
  assert.equal(tokenAt({ relay: A }, env), 'pst_alice');
  assert.equal(tokenAt({ profile: 'a.example' }, env), 'pst_alice');
  assert.throws(() => loadCredential({}, env, 3000), /expired\. Run: postern login https:\/\/b\.example:8443/);
  assert.throws(() => loadCredential({ relay: 'https://c.example' }, env, 1000), code('unauthenticated'));
  assert.throws(() => loadCredential({ profile: 'nobody' }, env, 1000), code('not_found'));
  assert.throws(() => loadCredential({ profile: 'a.example', relay: B }, env, 1000), code('request_invalid'));
  writeFileSync(path, '{"relay": 1}');
  assert.throws(() => loadCredential({}, env, 1000), /damaged/);
  assert.equal(tokenAt({ profile: 'a.example' }, env), 'pst_alice');
});

test('several people at one relay: by name, by POSTERN_PROFILE, or as chosen', () => {
  const env = newEnv();
  saveCredential(credential(A, 'alice'), env);
  saveCredential({ ...credential(A, 'bob'), profile: 'bob' }, env, { current: false });
  assert.equal(tokenAt({}, env), 'pst_alice');
  assert.equal(tokenAt({ profile: 'bob' }, env), 'pst_bob');
  assert.equal(tokenAt({}, { ...env, POSTERN_PROFILE: 'bob' }), 'pst_bob');
  assert.equal(tokenAt({ relay: A }, { ...env, POSTERN_PROFILE: 'bob' }), 'pst_bob');
  assert.equal(tokenAt({ profile: 'a.example' }, { ...env, POSTERN_PROFILE: 'bob' }), 'pst_alice');
  useProfile('bob', env);
  assert.equal(currentProfile(env)?.name, 'bob');
  assert.equal(tokenAt({}, env), 'pst_bob');
  assert.throws(() => useProfile('carol', env), code('not_found'));
  assert.throws(() => useProfile('../bob', env), code('not_found'));
  assert.equal(loginCommand(A, 'a.example', env), 'postern login --profile a.example');
  assert.equal(loginCommand(A, 'bob', env), `postern login ${A}`);
});

test('a sign-in goes where it belongs, and never over a profile of another relay', () => {
  const env = newEnv();
  assert.equal(profileNameFor(A, {}, env), 'a.example');
  saveCredential({ ...credential(B, 'bob'), profile: 'a.example' }, env);
  assert.equal(profileNameFor(A, {}, env), 'a.example-2');
  assert.equal(profileNameFor(B, {}, env), 'a.example');
  assert.equal(profileNameFor(A, { profile: 'work' }, env), 'work');
  assert.throws(() => profileNameFor(A, { profile: 'a.example' }, env), code('request_invalid'));
  assert.throws(() => profileNameFor(A, {}, { ...env, POSTERN_PROFILE: 'a.example' }), code('request_invalid'));
  for (const name of ['', '..', '../x', 'A', 'a/b', '-a', 'x'.repeat(65)])
    if (name !== '') assert.throws(() => profileNameFor(A, { profile: name }, env), code('request_invalid'), name);
});

test('names after hosts', () => {
  assert.equal(defaultProfileName('https://access.example.com'), 'access.example.com');
  assert.equal(defaultProfileName('http://postern.localhost:8080'), 'postern.localhost-8080');
  assert.equal(defaultProfileName('http://[::1]:8080'), '1-8080');
});

test('a profile that is signed out still knows its relay', () => {
  const env = newEnv();
  saveCredential(credential(A, 'alice'), env);
  forgetCredential('a.example', env);
  assert.equal(chooseProfile({}, env)?.relay, A);
  assert.throws(() => loadCredential({}, env, 1000), /signed out\. Run: postern login https:\/\/a\.example/);
});

test("a program's profile is signed in by its file, and says so, until a person takes it over", () => {
  const env = newEnv();
  saveCredential({ ...credential(A, 'service:ci'), byTokenFile: true, profile: 'ci' }, env);
  assert.throws(
    () => loadCredential({}, env, 3000),
    /expired\. Run: postern login https:\/\/a\.example --token-file FILE/,
  );
  forgetCredential('ci', env);
  assert.equal(chooseProfile({}, env)?.byTokenFile, true);
  saveCredential(credential(A, 'alice'), env);
  assert.equal(chooseProfile({}, env)?.byTokenFile, undefined);
  assert.throws(() => loadCredential({}, env, 3000), /expired\. Run: postern login https:\/\/a\.example$/);
});

test('a credentials.json from before profiles becomes profiles, and what is newer stays', () => {
  const env = newEnv();
  const directory = env.POSTERN_CONFIG_DIR;
  mkdirSync(directory, { recursive: true });
  const entry = (person: string) => ({ token: `pst_${person}`, expiresAt: 2000, person });
  const earlier = { current: B, relays: { [A]: entry('alice'), [B]: entry('bob') } };
  writeFileSync(join(directory, 'credentials.json'), JSON.stringify(earlier), { mode: 0o600 });
  assert.equal(tokenAt({}, env), 'pst_bob');
  assert.equal(tokenAt({ relay: A }, env), 'pst_alice');
  assert.equal(existsSync(join(directory, 'credentials.json')), false);
  assert.equal(statSync(join(directory, 'profiles/a.example.json')).mode & 0o777, 0o600);

  saveCredential(credential(A, 'anna'), env);
  writeFileSync(join(directory, 'credentials.json'), JSON.stringify(earlier), { mode: 0o600 });
  assert.equal(tokenAt({}, env), 'pst_anna');

  writeFileSync(join(directory, 'credentials.json'), '{"current": 1}');
  assert.throws(() => loadCredential({}, env, 1000), /credentials\.json is damaged/);
});

test('many commands that write at the same time lose nothing of each other', async () => {
  const env = newEnv();
  const source = (n: number) => `
    import { saveCredential } from ${JSON.stringify(new URL('../../src/client/credentials.ts', import.meta.url).href)};
    import { Secret } from ${JSON.stringify(new URL('../../src/lib/secret.ts', import.meta.url).href)};
    for (let k = 0; k < 20; k += 1)
      saveCredential({ relay: 'https://r${n}-' + k + '.example', token: new Secret('pst_x'), expiresAt: 2000, person: 'p' });`;
  const writers = [1, 2, 3].map((n) =>
    spawn(process.execPath, ['--input-type=module', '--eval', source(n)], {
      env: { ...process.env, ...env },
      stdio: 'inherit',
    }),
  );
  const codes = await Promise.all(writers.map((writer) => once(writer, 'exit').then(([status]) => status as number)));
  assert.deepEqual(codes, [0, 0, 0]);
  const profiles = listProfiles(env);
  assert.equal(profiles.length, 60);
  assert.ok(profiles.every(({ credential: kept }) => kept?.token === 'pst_x'));
  assert.deepEqual(readdirSync(env.POSTERN_CONFIG_DIR).toSorted(), ['current', 'profiles']);
});
