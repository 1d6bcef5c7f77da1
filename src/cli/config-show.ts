import { readFileSync } from 'node:fs';
import { type EffectiveSetting, effectiveAgentSettings, effectiveRelaySettings } from '../config/effective.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { kindOfFile } from './file-kind.ts';

/** One line per setting: its name, its value, and where that comes from. */
export function settingLines(settings: readonly EffectiveSetting[]): string {
  const wide = (pick: (setting: EffectiveSetting) => string, limit: number) =>
    Math.min(limit, Math.max(...settings.map((each) => pick(each).length)));
  const [names, values] = [wide(({ setting }) => setting, 60), wide(({ value }) => value, 60)];
  return settings
    .map(({ setting, value, origin }) => `${setting.padEnd(names)}  ${value.padEnd(values)}  ${origin}\n`)
    .join('');
}

/** Each setting of postern.yaml or agent.yaml, with defaults. Throws `config_invalid`. */
export function effectiveSettings(file: string): EffectiveSetting[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PosternError('config_invalid', `${file}: ${messageOf(cause)}`, { cause });
  }
  const kind = kindOfFile(text);
  if (kind === 'policy')
    throw new PosternError('config_invalid', `${file} holds rules; they have no defaults, so read the file itself.`);
  return kind === 'agent' ? effectiveAgentSettings(file) : effectiveRelaySettings(file);
}
