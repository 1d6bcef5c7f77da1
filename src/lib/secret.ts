import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { PosternError } from './errors.ts';

/** A secret that cannot be printed, logged or serialised by accident; `reveal()` is the one way to its text. */
export class Secret {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  reveal(): string {
    return this.#text;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}

/** Reads a secret from a file; one trailing newline is not part of it. An empty file is an error. */
export function loadSecret(path: string): Secret {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new PosternError(
      'config_invalid',
      `The secret file ${path} cannot be read. Create it, readable by this user only.`,
      { cause },
    );
  }
  if (text === '')
    throw new PosternError('config_invalid', `The secret file ${path} is empty. Write the secret into it.`);
  return new Secret(text);
}
