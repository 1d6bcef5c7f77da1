import { createHash } from 'node:crypto';

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

/** The console's colours; in the page itself, since a resource's host has no files of ours. */
const STYLE = `:root{color-scheme:light dark;--ground:#f6f7f7;--card:#fff;--line:#dfe3e3;--ink:#17201f;--quiet:#5b6665;--accent:#0f766e;--code:#eef1f1}
@media(prefers-color-scheme:dark){:root{--ground:#131716;--card:#1b201f;--line:#303837;--ink:#e4e9e8;--quiet:#9aa6a4;--accent:#2dd4bf;--code:#262d2c}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main{width:100%;max-width:30rem;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:32px}
header{display:flex;align-items:center;gap:10px;font-weight:600}
h1{margin:24px 0 8px;font-size:1.4rem;line-height:1.3;letter-spacing:-.01em}
p{margin:0 0 16px;overflow-wrap:anywhere}
a{color:var(--accent)}
footer{margin-top:24px;padding-top:16px;border-top:1px solid var(--line);color:var(--quiet);font-size:.875rem}
code{display:inline-block;padding:2px 6px;border-radius:5px;background:var(--code);color:var(--ink);font:.875em ui-monospace,'SF Mono',Menlo,Consolas,monospace;user-select:all}`;

const MARK = `<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#0f766e"/><path d="M9 26V14.5a7 7 0 0 1 14 0V26M6.5 26h19" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/><path d="M13 26V15a3 3 0 0 1 6 0v11z" fill="#99f6e4"/></svg>`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

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
  const rest = [
    contact === undefined ? '' : askParagraph(contact, reference),
    person === undefined ? '' : personParagraph(person),
    link === undefined ? '' : linkParagraph(link),
    reference === undefined ? '' : footer(reference),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>${MARK}Postern</header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${rest.join('')}</main>
</body>
</html>
`;
}

function personParagraph(person: string): string {
  return `<p>You are signed in as <strong>${escapeHtml(person)}</strong>. To be somebody else, sign out on the page of your apps.</p>\n`;
}

function linkParagraph({ href, text }: { readonly href: string; readonly text: string }): string {
  return `<p><a href="${escapeHtml(href)}">${escapeHtml(text)}</a></p>\n`;
}

function footer(reference: string): string {
  return `<footer>Reference <code>${escapeHtml(reference)}</code></footer>\n`;
}

function askParagraph(contact: string, reference = ''): string {
  const name = escapeHtml(contact);
  const subject = encodeURIComponent(`Access, reference ${reference}`);
  const whom = /^[^\s@]+@[^\s@]+$/.test(contact) ? `<a href="mailto:${name}?subject=${subject}">${name}</a>` : name;
  return `<p>For access, ask ${whom} and give the reference below.</p>\n`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
