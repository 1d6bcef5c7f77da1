import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, PosternError } from '../lib/errors.ts';

export interface PolicyFile {
  readonly file: string;
  readonly text: string;
}

/** More files than this in a policy directory are refused: it is some other directory. */
const MAX_FILES = 1000;
/** All of them together; one file has its own, lower bound. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The `*.yaml` of a directory in the order of their names, tests and hidden files left out. Throws `policy_invalid`. */
export function readPolicyFiles(directory: string): PolicyFile[] {
  return readFiles(directory, (name) => !/\.test\.ya?ml$/.test(name));
}

/** The `*.test.yaml` beside them. Throws `policy_invalid`. */
export function readPolicyTestFiles(directory: string): PolicyFile[] {
  return readFiles(directory, (name) => /\.test\.ya?ml$/.test(name));
}

function readFiles(directory: string, wanted: (name: string) => boolean): PolicyFile[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (cause) {
    throw new PosternError('policy_invalid', `${directory}: the policy directory cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
  const chosen = names.filter((name) => /^[^.].*\.ya?ml$/.test(name) && wanted(name)).toSorted();
  if (chosen.length > MAX_FILES)
    throw new PosternError('policy_invalid', `${directory}: it holds more than ${MAX_FILES} policy files.`);
  let bytes = 0;
  return chosen.map((name) => {
    const file = join(directory, name);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (cause) {
      throw new PosternError('policy_invalid', `${file}:1:1: the file cannot be read: ${messageOf(cause)}`, { cause });
    }
    bytes += text.length;
    if (bytes > MAX_BYTES)
      throw new PosternError('policy_invalid', `${directory}: its files hold more than ${MAX_BYTES} bytes together.`);
    return { file, text };
  });
}
