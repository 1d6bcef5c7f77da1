import type { FastifyInstance, FastifyReply } from 'fastify';
import { sha256Hex } from '../lib/bytes.ts';
import { type Html, html } from '../lib/page/html.ts';
import { MARK } from '../lib/page/mark.ts';
import { PAGE_STYLE } from '../lib/page/style.ts';
import { FORM_STYLE } from './form-style.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import type { Problem } from './problem.ts';

export interface Page {
  /** Heading and document title. */
  readonly title: string;
  readonly body: Html;
  /** Shown small below, for the person to quote. */
  readonly reference?: string;
}

const STYLE = PAGE_STYLE + FORM_STYLE;
const STYLE_URL = `/page-${sha256Hex(STYLE).slice(0, 10)}.css`;
const SCRIPT_URL = `/page-${sha256Hex(PAGE_SCRIPT).slice(0, 10)}.js`;

/**
 * A small server-rendered page in the console's style. A `<form data-json action="…">` in the body posts its fields as
 * JSON and goes to the `location` of the answer. The script stands before the body and is waited for: a form that a
 * quick person, or a slow network, let the browser send by itself would be refused.
 */
export function page({ title, body, reference }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Postern</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${STYLE_URL}">
<script src="${SCRIPT_URL}"></script>
</head>
<body>
<main>
<a class="mark" href="/"><img src="/favicon.svg" alt="" width="28" height="28">Postern</a>
<h1>${title}</h1>
${body}
${reference === undefined ? undefined : html`<p class="reference">Reference <code>${reference}</code></p>`}
</main>
</body>
</html>
`.text;
}

export function sendPage(reply: FastifyReply, status: number, content: Page): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .serializer(String)
    .send(page(content));
}

/** A problem for a person who navigated into it. */
export function sendProblemPage(reply: FastifyReply, problem: Problem): FastifyReply {
  const next =
    problem.signIn === undefined
      ? html`<a class="button" href="/">Go to your apps</a>`
      : html`<a class="button" href="${problem.signIn}">Sign in</a>`;
  return sendPage(reply, problem.status, {
    title: problem.title,
    body: html`<p>${problem.detail}</p><p>${next}</p>`,
    reference: problem.reference,
  });
}

/** For browsers that drop Secure cookies on http://localhost: no sign-in would ever be over there. */
export function unsupportedBrowserPage(relayOrigin: string): Page {
  return {
    title: 'This browser cannot sign in here',
    body: html`<p>This browser does not take Secure cookies on localhost, and Postern does not use weaker ones.</p>
<p>Chromium, Chrome, Edge and Firefox do: open <code>${relayOrigin}/</code> in one of them. With https, every browser
works.</p>`,
  };
}

/** Style, script and mark of the pages, from this origin so that the content security policy can stay strict. */
export function servePageParts(app: FastifyInstance): void {
  const parts = [
    [STYLE_URL, 'text/css; charset=utf-8', STYLE, 'public, max-age=31536000, immutable'],
    [SCRIPT_URL, 'text/javascript; charset=utf-8', PAGE_SCRIPT, 'public, max-age=31536000, immutable'],
    ['/favicon.svg', 'image/svg+xml', MARK.text, 'public, max-age=86400'],
  ] as const;
  for (const [url, type, content, caching] of parts) {
    app.get(url, { config: { permission: 'anyone', rateLimit: false } }, (_request, reply) =>
      reply.type(type).header('cache-control', caching).send(content),
    );
  }
}
