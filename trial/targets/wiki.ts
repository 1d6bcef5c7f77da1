import { createServer, type IncomingMessage } from 'node:http';
import { kept, replace } from '../kept.ts';
import type { AssertedPerson, AssertionReader } from './assertion.ts';
import { escapeHtml, page } from './page.ts';
import { type RunningTarget, serveTarget } from './serve.ts';

interface Article {
  readonly title: string;
  readonly text: string;
  readonly by: string;
}

const MAX_ARTICLES = 200;
const MAX_FORM_BYTES = 64 * 1024;

/** A wiki with a few pages that its readers may edit. Pages are kept in `file`. */
export async function startWiki(assertions: AssertionReader, file: string): Promise<RunningTarget> {
  const articles = new Map(JSON.parse(kept(file, () => JSON.stringify(FIRST_PAGES))) as [string, Article][]);

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, location, html }) => {
        response.writeHead(status, {
          'content-type': 'text/html; charset=utf-8',
          ...(location === undefined ? {} : { location }),
        });
        response.end(html);
      },
      (error: unknown) => {
        response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(String(error));
      },
    );
  });
  return serveTarget(server);

  async function answer(request: IncomingMessage): Promise<{ status: number; location?: string; html?: string }> {
    const person = await assertions.read(request.headers['x-postern-assertion']);
    const url = new URL(request.url ?? '/', 'http://wiki');
    const slug = /^\/docs\/([a-z0-9-]{1,60})(\/edit)?$/.exec(url.pathname);
    if (url.pathname === '/') return { status: 302, location: '/docs/welcome' };
    if (!slug?.[1]) return { status: 404, html: frame(person, 'Not here', '<h1>This page is not here.</h1>') };
    const name = slug[1];
    const article = articles.get(name);
    if (request.method === 'POST') {
      const form = await readForm(request);
      if (!article && articles.size >= MAX_ARTICLES)
        return { status: 507, html: frame(person, 'Full', 'The wiki is full.') };
      articles.set(name, {
        title: form.get('title') || name,
        text: (form.get('text') ?? '').replaceAll('\r\n', '\n'),
        by: nameOf(person),
      });
      replace(file, JSON.stringify([...articles]));
      return { status: 303, location: `/docs/${name}` };
    }
    if (slug[2] || !article) return { status: article ? 200 : 404, html: editPage(person, name, article) };
    return { status: 200, html: readPage(person, name, article) };
  }

  function readPage(person: AssertedPerson | undefined, name: string, article: Article): string {
    const list = [...articles].map(([slug, { title }]) => `<li><a href="/docs/${slug}">${escapeHtml(title)}</a></li>`);
    return frame(
      person,
      article.title,
      `<h1>${escapeHtml(article.title)}</h1>${paragraphs(article.text)}
<p class="meta">Last written by ${escapeHtml(article.by)} · <a href="/docs/${name}/edit">Edit this page</a></p>
<h2>All pages</h2><ul>${list.join('')}</ul>`,
    );
  }
}

function editPage(person: AssertedPerson | undefined, name: string, article: Article | undefined): string {
  return frame(
    person,
    `Edit ${name}`,
    `<h1>${article ? 'Edit' : 'New page'}</h1>
<form method="post" action="/docs/${name}">
<p><label>Title<input name="title" value="${escapeHtml(article?.title ?? name)}"></label></p>
<p><label>Text<textarea name="text" rows="14">${escapeHtml(article?.text ?? '')}</textarea></label></p>
<button>Save</button> <a href="/docs/${name}">Cancel</a></form>`,
  );
}

function frame(person: AssertedPerson | undefined, title: string, body: string): string {
  const who = person
    ? `signed in as <b id="who">${escapeHtml(nameOf(person))}</b>`
    : 'nobody is signed in: this request did not come through Postern';
  const style = '.meta { color: var(--quiet); font-size: 14px; margin-top: 32px }';
  return page(
    `Wiki · ${title}`,
    `<header><a href="/docs/welcome">Wiki</a><span class="who">${who}</span></header>${body}`,
    style,
  );
}

function nameOf(person: AssertedPerson | undefined): string {
  return person?.email ?? person?.name ?? 'somebody';
}

/** Blank lines part paragraphs; `[text](/docs/page)` is a link. */
function paragraphs(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((part) => `<p>${escapeHtml(part).replace(/\[([^\]]+)\]\((\/docs\/[a-z0-9-]+)\)/g, '<a href="$2">$1</a>')}</p>`)
    .join('');
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1');
    if (text.length > MAX_FORM_BYTES) throw new Error('The page is too long.');
  }
  return new URLSearchParams(text);
}

const FIRST_PAGES: [string, Article][] = [
  [
    'welcome',
    {
      title: 'Welcome',
      by: 'the people before you',
      text: 'This wiki listens on a loopback port that only the agent dials. You read it through Postern: you were signed in by the provider, a rule allowed you, and the request was in the audit log before it came here.\n\nYou could read about [the coffee machine](/docs/coffee) or see [who is on call](/docs/on-call). Every page can be edited.',
    },
  ],
  [
    'coffee',
    {
      title: 'The coffee machine',
      by: 'bob@example.com',
      text: 'Second floor, behind the plants. It wants descaling on the first Monday of the month.\n\nIf it says E4, take out the tray, count to ten, and put it back.',
    },
  ],
  [
    'on-call',
    {
      title: 'On call',
      by: 'alice@example.com',
      text: 'Alice until Thursday, then Bob. The dashboards are at the resource "metrics", for engineering.',
    },
  ],
];
