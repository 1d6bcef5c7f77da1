import { AgentFileSchema, loadAgentConfig } from './agent-config.ts';
import { AGENT_DEFAULTS, RELAY_DEFAULTS, RESOURCE_DEFAULTS } from './defaults.ts';
import { Problems } from './problem.ts';
import { loadRelayConfig } from './relay-config.ts';
import { RelayFileSchema } from './relay-schema.ts';
import { loadYaml, type YamlDocument } from './yaml-document.ts';

/** One setting in force. */
export interface EffectiveSetting {
  /** `relay.listen`, `resources.wiki.tags`. */
  readonly setting: string;
  /** As YAML in one line; `[secret]` for a secret. */
  readonly value: string;
  /** `file:line`, or `default`. */
  readonly origin: string;
}

/** Written into a file itself rather than into one of its own. */
const SECRETS: ReadonlySet<string> = new Set(['database.url']);

/** Of a postern.yaml that can be used. Throws `config_invalid` for any other. */
export function effectiveRelaySettings(file: string): EffectiveSetting[] {
  const { resources } = loadRelayConfig(file);
  const document = loadYaml(file, RelayFileSchema, new Problems());
  const defaults: Record<string, unknown> = { ...RELAY_DEFAULTS };
  for (const { name, host, title, protocol } of resources) {
    const { tags } = RESOURCE_DEFAULTS;
    const own = protocol === 'http' ? { host, title, ...RESOURCE_DEFAULTS } : { title, tags };
    for (const [key, value] of Object.entries(own)) defaults[`resources.${name}.${key}`] = value;
  }
  return document ? settingsOf(document, defaults) : [];
}

/** Of an agent.yaml that can be used. Throws `config_invalid` for any other. */
export function effectiveAgentSettings(file: string): EffectiveSetting[] {
  loadAgentConfig(file);
  const document = loadYaml(file, AgentFileSchema, new Problems());
  return document ? settingsOf(document, AGENT_DEFAULTS) : [];
}

function settingsOf(document: YamlDocument<object>, defaults: Readonly<Record<string, unknown>>): EffectiveSetting[] {
  const given = flatten(document.value, []).map(({ path, value }) => {
    const { file, line } = document.place(...path);
    const setting = path.join('.');
    return {
      setting,
      value: SECRETS.has(setting) ? '[secret]' : inline(value),
      origin: `${file}:${line}`,
    };
  });
  // Several hosts stand in place of the one.
  const named = new Set(
    given.flatMap(({ setting }) => [setting, setting.replace(/^(resources\.[^.]+)\.hosts$/, '$1.host')]),
  );
  const rest = Object.entries(defaults)
    .filter(([setting]) => !named.has(setting))
    .map(([setting, value]) => ({ setting, value: inline(value), origin: 'default' }));
  return [...given, ...rest].toSorted((a, b) => (a.setting < b.setting ? -1 : 1));
}

function flatten(value: unknown, path: readonly string[]): { path: readonly string[]; value: unknown }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }];
  const entries = Object.entries(value);
  if (entries.length === 0) return path.length === 0 ? [] : [{ path, value }];
  return entries.flatMap(([key, each]) => flatten(each, [...path, key]));
}

function inline(value: unknown): string {
  return typeof value === 'string' && /^[\w./][\w./:@ -]*$/.test(value) ? value : JSON.stringify(value);
}
