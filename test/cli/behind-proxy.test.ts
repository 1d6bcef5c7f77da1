import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { saveCredential } from '../../src/client/credentials.ts';
import { Secret } from '../../src/lib/secret.ts';
import { startProxy } from '../agent/http-proxy.ts';
import { makeCertificate } from '../relay/certificates.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

test('a command line behind an HTTP proxy: by HTTPS_PROXY, with its password, and TLS to the relay itself', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-behind-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  // A name that only the proxy can lead to.
  const { certificateFile, keyFile } = makeCertificate(directory, 'relay', ['access.example.test']);
  const relay = createServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, (req, res) =>
    res.end(req.headers['postern-token'] === 'pst_x' ? '{"resources":[]}' : '{}'),
  );
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.after(() => {
    relay.closeAllConnections();
    relay.close();
  });
  const { port } = relay.address() as AddressInfo;
  const proxy = await startProxy(t, 'me:secret');
  const env = {
    ...process.env,
    POSTERN_CONFIG_DIR: directory,
    NODE_EXTRA_CA_CERTS: certificateFile,
    POSTERN_PROFILE: '',
  };
  const credential = { token: new Secret('pst_x'), expiresAt: Date.now() + 600_000, person: 'alice' };
  saveCredential({ ...credential, relay: `https://access.example.test:${port}` }, env);
  const ls = async (more: Record<string, string>) => {
    const child = spawn(process.execPath, [MAIN, 'ls', '-o', 'json'], { env: { ...env, ...more } });
    const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { out, err, status: status as number | null };
  };

  const through = proxy.origin.replace('//', '//me:secret@');
  assert.deepEqual(await ls({ HTTPS_PROXY: through }), { out: '[]\n', err: '', status: 0 });
  assert.deepEqual(proxy.led, [`access.example.test:${port}`]);

  const refused = await ls({ HTTPS_PROXY: proxy.origin.replace('//', '//me:wrong@') });
  assert.equal(refused.status, 6);
  assert.match(refused.err, /cannot be reached\. The proxy .* does not take the user me with this password\./);
  assert.ok(!refused.err.includes('wrong'));
  const direct = await ls({ HTTPS_PROXY: through, NO_PROXY: '.example.test' });
  assert.equal(direct.status, 6);
  assert.match(direct.err, /The name access\.example\.test cannot be resolved/);
});
