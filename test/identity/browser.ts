import assert from 'node:assert/strict';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Send {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** What of a browser matters here: one cookie jar by host and path, redirects, and the headers of a navigation. */
export class Browser {
  readonly #jar = new Map<string, Map<string, Cookie>>();
  readonly #takesSecure: boolean;

  /** `takesSecure: false` is a browser that drops Secure cookies on http://localhost, as Safari does. */
  constructor({ takesSecure = true }: { readonly takesSecure?: boolean } = {}) {
    this.#takesSecure = takesSecure;
  }

  /** One request; cookies are sent and kept. */
  async send(target: string | URL, { method = 'GET', headers = {}, body }: Send = {}): Promise<Answer> {
    const url = new URL(target);
    const cookie = this.cookieHeader(url);
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const answer = await exchange(url, method, { ...(cookie === '' ? {} : { cookie }), ...length, ...headers }, body);
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(url, line);
    return answer;
  }

  /** A navigation: follows redirects to the page that is shown. */
  async visit(target: string | URL, send: Send = {}): Promise<Answer> {
    let url = new URL(target);
    let answer = await this.send(url, { ...send, headers: { ...NAVIGATION, ...send.headers } });
    for (let hops = 0; answer.status >= 300 && answer.status < 400 && answer.headers.location !== undefined; hops++) {
      assert.ok(hops < 20, `redirects go in circles at ${url.href}`);
      url = new URL(answer.headers.location, url);
      answer = await this.send(url, { headers: NAVIGATION });
    }
    return answer;
  }

  /** Follows redirects until one leads to `host` and `path`; returns that address without going there. */
  async visitUntil(target: string | URL, stop: (url: URL) => boolean): Promise<URL> {
    let url = new URL(target);
    for (let hops = 0; hops < 20; hops++) {
      if (stop(url)) return url;
      const { headers, status, body } = await this.send(url, { headers: NAVIGATION });
      assert.ok(headers.location, `${status} at ${url.href}: ${body.slice(0, 300)}`);
      url = new URL(headers.location, url);
    }
    return assert.fail('never came to the place');
  }

  /** A fetch of a page of `origin`, with JSON. */
  json(
    target: string | URL,
    method: string,
    value: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { origin } = new URL(target);
    return this.send(target, {
      method,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        origin,
        'sec-fetch-site': 'same-origin',
        'sec-fetch-mode': 'cors',
        ...headers,
      },
      body: JSON.stringify(value),
    });
  }

  cookieHeader(url: URL): string {
    return [...(this.#jar.get(url.hostname)?.values() ?? [])]
      .filter(({ path }) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  cookie(host: string, name: string): string | undefined {
    return this.#jar.get(host)?.get(`${name} /`)?.value;
  }

  plant(host: string, name: string, value: string): void {
    const jar = this.#jar.get(host) ?? new Map<string, Cookie>();
    this.#jar.set(host, jar.set(`${name} /`, { name, value, path: '/' }));
  }

  names(host: string): string[] {
    return [...(this.#jar.get(host)?.values() ?? [])].map(({ name }) => name);
  }

  #keep(url: URL, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    const facts = new Map(
      attributes.map((text) => [text.split('=')[0]?.toLowerCase(), text.slice(text.indexOf('=') + 1)]),
    );
    if (name.startsWith('__Host-')) {
      assert.ok(facts.has('secure') && facts.get('path') === '/' && !facts.has('domain'), `a browser drops ${line}`);
      assert.ok(facts.has('httponly'), 'scripts of a page must not read it');
    }
    if (facts.has('secure') && !this.#takesSecure) return;
    const expires = facts.get('expires');
    const gone = facts.get('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now());
    const jar = this.#jar.get(url.hostname) ?? new Map<string, Cookie>();
    this.#jar.set(url.hostname, jar);
    const path = facts.get('path') ?? '/';
    if (gone) jar.delete(`${name} ${path}`);
    else jar.set(`${name} ${path}`, { name, value: pair.slice(equals + 1), path });
  }
}

const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-site' };

const agent = new Agent({ keepAlive: false });

function exchange(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method, headers, agent, lookup: lookupWithLocalhost, signal: AbortSignal.timeout(20_000) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            url,
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
