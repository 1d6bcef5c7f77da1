/** One look for the sample pages. `body` is HTML; everything that came from outside must have passed `escapeHtml`. */
export function page(title: string, body: string, style = ''): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
${icon(title)}
<style>
:root { --ink: light-dark(#1d252d, #e6ebf0); --quiet: light-dark(#5d6873, #98a4b0); --line: light-dark(#d9dee3, #37414b); --accent: light-dark(#1f6f5c, #63c3aa) }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 760px; padding: 24px 20px 60px; color: var(--ink); background: light-dark(#fff, #151b21); font: 17px/1.6 system-ui, sans-serif }
header { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: baseline; padding-bottom: 12px; margin-bottom: 28px; border-bottom: 1px solid var(--line) }
header .who { margin-left: auto; color: var(--quiet); font-size: 14px }
a { color: var(--accent) } h1 { line-height: 1.25 } pre, textarea, input { font: 15px/1.5 ui-monospace, monospace }
textarea, input { width: 100%; padding: 10px; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px }
button { padding: 9px 18px; font: inherit; font-weight: 600; color: light-dark(#fff, #10241e); background: var(--accent); border: 0; border-radius: 8px; cursor: pointer }
${style}
</style></head><body>${body}</body></html>`;
}

/** The title's first letter on a tile, in the page itself: a request for /favicon.ico would only be a 404 in the log. */
export function icon(title: string): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f6f5c"/><text x="16" y="23" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="20" fill="#fff">${escapeHtml(title.charAt(0))}</text></svg>`;
  return `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(svg)}">`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
