import { type Answer, ask } from '../measure/probe.ts';
import { BenchError } from '../setup.ts';

/** Redirects from the resource to the relay, the provider and back are about ten. */
const MAX_HOPS = 25;

/** Makes a browser of a person who knows name and password of the provider's form. */
export class Visitor {
  /** Cookies as name → value, by host with port: as browsers keep `__Host-` cookies, but for the port. */
  readonly #jar = new Map<string, Map<string, string>>();
  readonly #name: string;
  readonly #password: string;

  constructor(name: string, password: string) {
    this.#name = name;
    this.#password = password;
  }

  /** Goes to the address, signs in where asked, and gives the last answer: the first that is neither redirect nor form. */
  async visit(address: string): Promise<Answer> {
    let url = new URL(address);
    let form: string | undefined;
    const way: string[] = [];
    while (way.length < MAX_HOPS) {
      const answer = await this.#request(url, form);
      way.push(`${form === undefined ? 'GET' : 'POST'} ${url.origin}${url.pathname} → ${answer.status}`);
      const location = answer.headers['location'];
      const page = answer.body.toString();
      if (answer.status >= 300 && answer.status < 400 && typeof location === 'string') {
        url = new URL(location, url);
        form = undefined;
      } else if (form === undefined && answer.status === 200 && /<input[^>]+type="password"/.test(page)) {
        url = new URL(/<form[^>]+action="([^"]+)"/.exec(page)?.[1] ?? '', url);
        form = this.#fillIn(page);
      } else if (answer.status === 200) return answer;
      else throw new BenchError(`The sign-in ended at:\n${way.join('\n')}\n${page.slice(0, 500)}`);
    }
    throw new BenchError(`The sign-in goes in circles:\n${way.join('\n')}`);
  }

  cookieHeader(host: string): string {
    return [...(this.#jar.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** The cookie of that name, as a Cookie header. */
  cookie(host: string, name: string): string {
    const value = this.#jar.get(host)?.get(name);
    if (value === undefined) throw new BenchError(`The sign-in left no cookie ${name} at ${host}.`);
    return `${name}=${value}`;
  }

  #fillIn(page: string): string {
    const form = new URLSearchParams();
    for (const [input] of page.matchAll(/<input[^>]*>/g)) {
      const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(input)?.[1];
      const name = attribute('name');
      if (name === undefined) continue;
      const type = attribute('type');
      form.set(
        name,
        type === 'password' ? this.#password : type === 'hidden' ? (attribute('value') ?? '') : this.#name,
      );
    }
    return form.toString();
  }

  /** All hosts of the bench are the loopback. */
  async #request(url: URL, form: string | undefined): Promise<Answer> {
    const cookies = this.cookieHeader(url.host);
    const answer = await ask(
      Number(url.port || 80),
      `${url.pathname}${url.search}`,
      {
        host: url.host,
        accept: 'text/html',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        ...(cookies ? { cookie: cookies } : {}),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      form,
    );
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) this.#keep(url.host, line);
    return answer;
  }

  #keep(host: string, line: string): void {
    const jar = this.#jar.get(host) ?? new Map<string, string>();
    this.#jar.set(host, jar);
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    const gone = attributes.some((attribute) => {
      const expires = /^expires=(.*)$/i.exec(attribute)?.[1];
      return /^max-age=(0|-\d+)$/i.test(attribute) || (expires !== undefined && Date.parse(expires) <= Date.now());
    });
    if (gone) jar.delete(name);
    else jar.set(name, pair.slice(equals + 1));
  }
}
