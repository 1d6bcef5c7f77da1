import { html } from './html.ts';

/** A small arched door, ajar: within a page, and as a file. */
export const MARK = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
<rect width="32" height="32" rx="7" fill="#0f766e"/>
<path d="M9 26V14.5a7 7 0 0 1 14 0V26" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/>
<path d="M13 26V15a3 3 0 0 1 6 0v11z" fill="#99f6e4"/>
<path d="M6.5 26h19" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/>
</svg>
`;
