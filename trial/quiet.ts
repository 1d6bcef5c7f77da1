// Imported before the demo provider: its notices about production use (memory adapter, runtime) are for its own
// operators, not for somebody who starts a trial.
const warn = console.warn;
console.warn = (...text: unknown[]) => {
  if (!(typeof text[0] === 'string' && text[0].includes('oidc-provider WARNING:'))) warn(...text);
};
