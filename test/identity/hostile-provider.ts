import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';

export type Claims = Record<string, unknown>;

/** How the next ID token deviates from an honest one. */
export interface Variant {
  readonly header?: Claims;
  /** Undefined values remove a claim. */
  readonly claims?: Claims;
  readonly signature?: 'rs256' | 'other-key' | 'none' | 'hs256-secret' | 'hs256-public-key' | 'of-other-claims';
  readonly userinfo?: Claims;
  readonly withoutIdToken?: boolean;
}

export interface HostileProvider extends AsyncDisposable {
  readonly issuer: string;
  variant: Variant;
  /** Answers nothing but 500. */
  down: boolean;
  /** Path → how its answers never end: not begun at all, or white space for ever, little by little or as fast as it is taken. */
  endless: Readonly<Record<string, 'hangs' | 'drips' | 'floods'>>;
  /** The next request for this path is there. */
  asked(path: string): Promise<void>;
  /** Answers, too late, what hangs. */
  answerLate(): void;
  /** New key under a new id; the old one is gone. */
  rotate(): void;
}

/** A provider that signs in everybody as `mallory` without asking, with whatever ID token the test wants. */
export async function startHostileProvider(clientSecret: string): Promise<HostileProvider> {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let key = newKey();
  const nonces = new Map<string, string>();
  const state: Pick<HostileProvider, 'variant' | 'down' | 'endless'> = { variant: {}, down: false, endless: {} };
  const requests = new EventEmitter();
  const late: (() => void)[] = [];
  let issuer = '';

  function idToken(nonce: string): string {
    const { header, claims, signature = 'rs256' } = state.variant;
    const now = Math.floor(Date.now() / 1000);
    const honest = {
      iss: issuer,
      sub: 'mallory',
      aud: 'postern',
      iat: now,
      exp: now + 300,
      nonce,
      amr: ['pwd', 'otp'],
    };
    const head = encode({ alg: 'RS256', kid: key.kid, typ: 'JWT', ...header });
    const signed = `${head}.${encode({ ...honest, ...claims })}`;
    const signatures = {
      rs256: () => sign('sha256', Buffer.from(signed), key.privateKey),
      'other-key': () => sign('sha256', Buffer.from(signed), other.privateKey),
      none: () => Buffer.alloc(0),
      'hs256-secret': () => createHmac('sha256', clientSecret).update(signed).digest(),
      'hs256-public-key': () =>
        createHmac('sha256', key.publicKey.export({ type: 'spki', format: 'pem' }))
          .update(signed)
          .digest(),
      'of-other-claims': () =>
        sign('sha256', Buffer.from(`${head}.${encode({ ...honest, sub: 'eve' })}`), key.privateKey),
    };
    return `${signed}.${signatures[signature]().toString('base64url')}`;
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', issuer);
    const endless = state.endless[url.pathname];
    const json = (value: unknown) => {
      const begin = () => response.writeHead(200, { 'content-type': 'application/json' });
      if (endless === 'hangs') late.push(() => begin().end(JSON.stringify(value)));
      else if (endless === 'drips') drip(begin());
      else if (endless === 'floods') flood(begin());
      else begin().end(JSON.stringify(value));
    };
    requests.emit(url.pathname);
    if (state.down) {
      response.writeHead(500).end();
      return;
    }
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          userinfo_endpoint: `${issuer}/userinfo`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256', 'none', 'HS256'],
        });
      case '/jwks':
        return json({ keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: 'RS256', use: 'sig' }] });
      case '/authorize': {
        const code = randomBytes(8).toString('hex');
        nonces.set(code, url.searchParams.get('nonce') ?? '');
        const back = new URL(url.searchParams.get('redirect_uri') ?? '');
        back.search = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }).toString();
        response.writeHead(302, { location: back.href }).end();
        return;
      }
      case '/token': {
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        request.on('end', () => {
          const nonce = nonces.get(new URLSearchParams(body).get('code') ?? '') ?? '';
          const token = { access_token: 'opaque', token_type: 'Bearer', expires_in: 60 };
          json(state.variant.withoutIdToken ? token : { ...token, id_token: idToken(nonce) });
        });
        return;
      }
      case '/userinfo':
        return json(
          state.variant.userinfo ?? {
            sub: 'mallory',
            name: 'Mallory',
            email: 'Mallory@Example.com',
            email_verified: true,
            groups: ['b', 'a', 'b'],
          },
        );
      default:
        response.writeHead(404).end();
    }
  }

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    issuer,
    rotate() {
      key = newKey();
    },
    async asked(path: string) {
      await once(requests, path);
    },
    answerLate() {
      for (const answer of late.splice(0)) answer();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}

/** More often than any limit on silence would notice. */
function drip(response: ServerResponse): void {
  const dripping = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(dripping));
}

function flood(response: ServerResponse): void {
  const spaces = Buffer.alloc(64 * 1024, ' ');
  Readable.from(
    (function* () {
      for (;;) yield spaces;
    })(),
  ).pipe(response);
}

function newKey() {
  return { ...generateKeyPairSync('rsa', { modulusLength: 2048 }), kid: randomBytes(4).toString('hex') };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
