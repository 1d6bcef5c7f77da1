/** The little of a browser that forms need: cookies of one host, redirects, submitting a form. Stops at hosts that nobody serves. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  async visit(url: string, form?: URLSearchParams): Promise<Page> {
    let at = new URL(url);
    let body = form;
    for (let hops = 0; hops < 10; hops += 1) {
      if (at.hostname !== 'localhost') return { url: at.href, status: 0, text: '' };
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(at, {
        headers: { cookie },
        redirect: 'manual',
        ...(body ? { method: 'POST', body } : {}),
      });
      for (const line of response.headers.getSetCookie()) this.#keep(line);
      const location = response.headers.get('location');
      if (location === null) return { url: at.href, status: response.status, text: await response.text() };
      at = new URL(location, at);
      body = undefined;
    }
    throw new Error(`Too many redirects, the last to ${at.href}`);
  }

  /** Submits the page's only form by POST, its hidden fields together with `fields`. */
  submit(page: Page, fields: Record<string, string>): Promise<Page> {
    const form = /<form[^>]*>/.exec(page.text)?.[0] ?? '';
    const action = /action="([^"]*)"/.exec(form)?.[1] ?? page.url;
    const body = new URLSearchParams(fields);
    for (const [input] of page.text.matchAll(/<input type="hidden"[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input)?.[1];
      if (name && !(name in fields)) body.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? '');
    }
    return this.visit(new URL(action, page.url).href, body);
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';');
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    const gone = attributes.some((attribute) => /^\s*expires=Thu, 01 Jan 1970/i.test(attribute));
    if (gone) this.#cookies.delete(name);
    else this.#cookies.set(name, pair.slice(at + 1));
  }
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}
