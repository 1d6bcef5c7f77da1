/** `1 record`, `2 records`: for nouns whose plural only adds an s. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
