import { createHash } from 'node:crypto';

export interface PageContent {
  readonly title: string;
  /** Paragraphs, in plain text. */
  readonly text: readonly string[];
  readonly link: { readonly href: string; readonly text: string } | undefined;
  readonly reference: string;
}

const STYLE = `:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--ground:#f4f5f7;--card:#fff;--line:#dfe3e8;--accent:#2f5fb3}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf0;--soft:#9aa5b4;--ground:#14181e;--card:#1d232b;--line:#323a45;--accent:#8ab0f0}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:32rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:2rem}
h1{margin:0 0 .75rem;font-size:1.35rem;line-height:1.3}
p{margin:0 0 .75rem;overflow-wrap:anywhere}
a{color:var(--accent)}
footer{margin-top:1.5rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
code{font:inherit;font-family:ui-monospace,monospace;color:var(--ink);user-select:all}`;

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

export function renderPage({ title, text, link, reference }: PageContent): string {
  const paragraphs = text.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join('\n');
  const anchor = link ? `\n<p><a href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>` : '';
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
<h1>${escapeHtml(title)}</h1>
${paragraphs}${anchor}
<footer>Reference <code>${escapeHtml(reference)}</code></footer>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
