import { PosternError } from '../../lib/errors.ts';
import type { CurlProgram } from './curl-program.ts';

export interface CurlArguments {
  readonly urls: readonly string[];
  /** Long names and values, in their order; a negated one as `no-…`. */
  readonly options: readonly { readonly name: string; readonly value?: string }[];
}

/** Reads arguments as this curl will. What it would not know is `request_invalid`: better than a guess about where the token goes. */
export function readCurlArguments(args: readonly string[], curl: CurlProgram): CurlArguments {
  const urls: string[] = [];
  const options: { name: string; value?: string }[] = [];
  const waiting = [...args];
  const option = (name: string, attached?: string): void => {
    if (!curl.long.get(name)) return void options.push({ name });
    const value = attached ?? waiting.shift();
    if (value === undefined) throw new PosternError('request_invalid', `curl wants a value after --${name}.`);
    if (name === 'url') urls.push(value);
    else options.push({ name, value });
  };
  for (let only = false; waiting.length > 0; ) {
    const arg = waiting.shift() ?? '';
    if (only || !arg.startsWith('-') || arg === '-') urls.push(arg);
    else if (arg === '--') only = true;
    else if (arg.startsWith('--')) option(longName(arg.slice(2), curl));
    else letters(arg.slice(1), curl, option);
  }
  return { urls, options };
}

/** `-sSLo file`, `-ofile` */
function letters(text: string, curl: CurlProgram, option: (name: string, attached?: string) => void): void {
  for (let at = 0; at < text.length; at += 1) {
    const name = curl.short.get(text[at] ?? '');
    if (name === undefined) throw unknown(`-${text[at]}`);
    if (curl.long.get(name)) return option(name, text.slice(at + 1) || undefined);
    option(name);
  }
}

/** Whole, negated, or as far as it is the only one that begins so. */
function longName(text: string, { long }: CurlProgram): string {
  if (long.has(text)) return text;
  const positive = text.replace(/^no-/, '');
  if (positive !== text && long.get(positive) === false) return text;
  const begun = [...long.keys()].filter((name) => name.startsWith(text));
  const [only] = begun;
  if (begun.length !== 1 || only === undefined) throw unknown(`--${text}`);
  return only;
}

function unknown(option: string): PosternError {
  return new PosternError('request_invalid', `The curl of this machine has no option ${option}.`);
}
