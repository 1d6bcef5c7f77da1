import type { Command } from 'commander';
import { knownNames } from '../../client/known-names.ts';
import { listProfiles } from '../../client/profiles.ts';
import { printable } from '../../lib/printable.ts';
import { print } from '../output.ts';
import { glue } from './glue.ts';
import { type Wanted, wantedAfter } from './wanted.ts';

interface Candidate {
  readonly word: string;
  readonly about: string;
}

/**
 * `postern __complete <shell> [word...]`, which shells run at each Tab: one candidate per line for the last word, a tab, and
 * what it is for. Says nothing when it knows nothing.
 */
export async function complete(
  [shell = '', ...pieces]: readonly string[],
  programFor: (word: string | undefined) => Promise<Command>,
): Promise<void> {
  const { words, typed } = shell === 'bash' ? glue(pieces) : { words: pieces, typed: '' };
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const program = await programFor(before.find((word) => !word.startsWith('-')));
  const found = await candidates(program, before, current);
  const lines = found
    .filter(({ word }) => word.startsWith(current) && word !== '')
    .map(({ word, about }) => `${printable(word.slice(typed.length))}\t${printable(firstSentence(about))}\n`);
  print(lines.join(''));
}

async function candidates(program: Command, before: readonly string[], current: string): Promise<Candidate[]> {
  const [name = '', partial] = current.startsWith('--') ? current.split(/=(.*)/s) : [current];
  if (partial === undefined) return resolve(wantedAfter(program, before, current), current);
  const wanted = wantedAfter(program, [...before, name], '');
  return (await resolve(wanted, partial)).map(({ word, about }) => ({ word: `${name}=${word}`, about }));
}

async function resolve({ words, names, profile }: Wanted, current: string): Promise<Candidate[]> {
  if (!names) return [...words];
  switch (names.of) {
    case 'profile':
      return listProfiles().map(({ name, relay, credential }) => ({
        word: name,
        about: credential ? `${credential.person} at ${relay}` : relay,
      }));
    case 'agent':
      return (await knownNames(at(profile))).agents.map((word) => ({ word, about: '' }));
    case 'resource': {
      const { resources } = await knownNames(at(profile));
      const fits = resources.filter(({ protocol }) => names.protocols?.includes(protocol) ?? true);
      // `user@` stays in front.
      const user = /^[^@]*@/.exec(current)?.[0] ?? '';
      return fits.map(({ name, title }) => ({ word: user + name, about: title }));
    }
  }
}

function at(profile: string | undefined): { profile?: string } {
  return profile === undefined ? {} : { profile };
}

function firstSentence(text: string): string {
  return text.split(/(?<=\.)\s|\n/)[0] ?? '';
}
