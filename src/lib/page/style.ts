/** The style of every page that the relay itself writes, on whatever host: the console's colours and type, without its machinery. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f7; --card: #fff; --line: #dfe3e3; --ink: #17201f; --quiet: #5b6665;
  --accent: #0f766e; --accent-ink: #fff; --code: #eef1f1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131716; --card: #1b201f; --line: #303837; --ink: #e4e9e8; --quiet: #9aa6a4;
    --accent: #2dd4bf; --accent-ink: #06201d; --code: #262d2c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
  background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
}
main {
  width: 100%; max-width: 30rem; padding: 32px; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px;
}
.mark { display: inline-flex; align-items: center; gap: 10px; font-weight: 600; color: inherit; text-decoration: none; }
h1 { margin: 24px 0 8px; font-size: 1.4rem; line-height: 1.3; letter-spacing: -0.01em; }
p { margin: 0 0 16px; overflow-wrap: anywhere; }
a { color: var(--accent); }
main > :last-child { margin-bottom: 0; }
code { padding: 2px 6px; border-radius: 5px; background: var(--code); font: 0.875em ui-monospace, 'SF Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.reference { margin-top: 24px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.875rem; }
.reference code { display: inline-block; color: var(--ink); user-select: all; }
`;
