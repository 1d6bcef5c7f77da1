/** The style of what a page asks: fields, buttons, and what was wrong. */
export const FORM_STYLE = `
button, .button {
  display: inline-block; padding: 9px 16px; border: 0; border-radius: 8px; cursor: pointer;
  background: var(--accent); color: var(--accent-ink); font: inherit; font-weight: 600; text-decoration: none;
}
button.quiet, .button.quiet { background: transparent; color: var(--ink); box-shadow: inset 0 0 0 1px var(--line); }
p:has(> button, > .button) { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 10px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
input { width: 100%; padding: 9px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--ground); color: inherit; font: inherit; }
[role='alert'] { color: #c92a2a; }
@media (prefers-color-scheme: dark) { [role='alert'] { color: #ff8787; } }
`;
