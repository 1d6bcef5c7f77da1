/** Control characters, and those that turn the direction of text. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** What others sent must neither steer the terminal nor turn the direction of its text. */
export function printable(text: string): string {
  return text.replace(STEERING, '\uFFFD');
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** The same for JSON, which stays the same for programs. */
export function printableJson(json: string): string {
  return json.replace(STEERING, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
