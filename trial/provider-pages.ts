import { ACCOUNTS } from './accounts.ts';
import { escapeHtml, icon } from './targets/page.ts';

/** Submits the provider's sign-out form by itself; with a button where scripts are off. */
export const SIGN_OUT_SCRIPT =
  '<input type="hidden" form="op.logoutForm" name="logout" value="yes">' +
  '<noscript><button form="op.logoutForm">Sign out</button></noscript>' +
  "<script>document.getElementById('op.logoutForm').submit()</script>";

export function loginPage({ hint, failed }: { hint: string; failed: boolean }): string {
  const people = ACCOUNTS.map(({ id, about }) => `<li><b>${id}</b><span>${escapeHtml(about)}</span></li>`).join('');
  return frame(
    'Sign in',
    `<h1>Sign in</h1>
<p class="quiet">Demo provider. At your company this is your own OpenID provider.</p>
${failed ? '<p class="failed" role="alert">Name and password do not match. The password is the name.</p>' : ''}
<form method="post">
  <label>Name<input name="username" autocomplete="username" autocapitalize="off" spellcheck="false" required ${hint ? '' : 'autofocus'} value="${escapeHtml(hint)}"></label>
  <label>Password<input name="password" type="password" autocomplete="current-password" required ${hint ? 'autofocus' : ''}></label>
  <button>Sign in</button>
</form>
<details open><summary>Who is there? The password is the name.</summary><ul>${people}</ul></details>`,
  );
}

export function messagePage(title: string, text: string, more = ''): string {
  return frame(title, `<h1>${escapeHtml(title)}</h1><p class="quiet">${text}</p>${more}`);
}

function frame(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
${icon('Demo provider')}
<style>
:root { --ink: light-dark(#16202c, #e8edf3); --quiet: light-dark(#5a6673, #9aa7b4); --line: light-dark(#d5dbe1, #38424d); --card: light-dark(#fff, #1b232c); --accent: #1f6f5c }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; color: var(--ink); background: light-dark(#eef1f4, #11171d); font: 16px/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 380px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 32px }
h1 { margin: 0 0 4px; font-size: 24px } .quiet { margin: 0 0 20px; color: var(--quiet); font-size: 14px }
label { display: block; margin: 0 0 14px; font-size: 14px; font-weight: 600 }
input:not([type=hidden]) { width: 100%; margin-top: 4px; padding: 10px 12px; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 8px }
input:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 60%, transparent); outline-offset: 1px }
button { width: 100%; padding: 11px; font: inherit; font-weight: 600; color: #fff; background: var(--accent); border: 0; border-radius: 8px; cursor: pointer }
.failed { padding: 10px 12px; border-radius: 8px; background: light-dark(#fdecea, #4a2020); font-size: 14px }
details { margin-top: 24px; font-size: 14px } summary { cursor: pointer; color: var(--quiet) } ul { margin: 8px 0 0; padding: 0; list-style: none } li { display: flex; gap: 12px; padding: 3px 0 } li b { width: 64px } li span { color: var(--quiet) }
</style></head><body><main>${body}</main></body></html>`;
}
