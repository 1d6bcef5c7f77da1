/** One thing that was looked at: what was found, and what to do when it is not right. */
export type Finding =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly text: string; readonly advice: string };

export function right(text: string): Finding {
  return { ok: true, text };
}

export function wrong(text: string, advice: string): Finding {
  return { ok: false, text, advice };
}
