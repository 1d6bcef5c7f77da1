import { createHash } from 'node:crypto';
import { Html, html } from '../../lib/page/html.ts';
import { MARK } from '../../lib/page/mark.ts';
import { PAGE_STYLE } from '../../lib/page/style.ts';

export interface PageContent {
  readonly title: string;
  readonly text: string;
  /** Whom to ask: an e-mail address, or a name. */
  readonly contact: string | undefined;
  /** As whom they are signed in, where that matters. */
  readonly person?: string | undefined;
  readonly link: { readonly href: string; readonly text: string } | undefined;
  /** Of the record, where there is one. */
  readonly reference: string | undefined;
}

/** In the page itself, since a resource's host has no files of ours. */
const STYLE = new Html(PAGE_STYLE);
const STYLE_HASH = createHash('sha256').update(PAGE_STYLE).digest('base64');

/** Headers of every page of ours: nothing loads, nothing runs, nothing is kept. */
export const PAGE_SECURITY_HEADERS: readonly string[] = [
  'Content-Security-Policy',
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'X-Content-Type-Options',
  'nosniff',
  'Referrer-Policy',
  'no-referrer',
  // No page that opened this one can read its address.
  'Cross-Origin-Opener-Policy',
  'same-origin',
];

export function renderPage({ title, text, contact, person, link, reference }: PageContent): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header class="mark">${MARK}Postern</header>
<h1>${title}</h1>
<p>${text}</p>
${contact === undefined ? undefined : askParagraph(contact, reference)}
${person === undefined ? undefined : personParagraph(person)}
${link === undefined ? undefined : html`<p><a href="${link.href}">${link.text}</a></p>`}
${reference === undefined ? undefined : html`<footer class="reference">Reference <code>${reference}</code></footer>`}
</main>
</body>
</html>
`.text;
}

function askParagraph(contact: string, reference = ''): Html {
  const subject = encodeURIComponent(`Access, reference ${reference}`);
  const isAddress = /^[^\s@]+@[^\s@]+$/.test(contact);
  const whom = isAddress ? html`<a href="mailto:${contact}?subject=${subject}">${contact}</a>` : contact;
  return html`<p>For access, ask ${whom} and give the reference below.</p>`;
}

function personParagraph(person: string): Html {
  return html`<p>You are signed in as <strong>${person}</strong>. To be somebody else, sign out on the page of your apps.</p>`;
}
