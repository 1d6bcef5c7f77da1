/** Bash breaks words at these, besides blanks (COMP_WORDBREAKS). */
const BREAKS = /^[=:@]+$/;

/** Puts together what bash took apart; `typed` is what of the last word it will not replace. */
export function glue(pieces: readonly string[]): { words: string[]; typed: string } {
  const words: string[] = [];
  let typed = '';
  let isOpen = false;
  for (const piece of pieces) {
    const isBreak = BREAKS.test(piece);
    const last = words.at(-1);
    if (last !== undefined && last !== '' && (isBreak || isOpen)) {
      typed = isBreak ? last + piece : last;
      words[words.length - 1] = last + piece;
    } else {
      words.push(piece);
      typed = '';
    }
    isOpen = isBreak;
  }
  return { words, typed };
}
