import { readIfThere, replace } from './kept.ts';

/** The newcomer's own apps: name → `http://host:port`, `tcp://host:port` or `ssh://host:port`. */
export type Apps = Readonly<Record<string, string>>;

export function protocolOf(address: string): 'http' | 'tcp' | 'ssh' {
  if (address.startsWith('ssh:')) return 'ssh';
  return address.startsWith('tcp:') ? 'tcp' : 'http';
}

export function appsFile(directory: string): string {
  return `${directory}/apps.json`;
}

export function readApps(directory: string): Apps {
  return JSON.parse(readIfThere(appsFile(directory)) ?? '{}') as Apps;
}

export function writeApps(directory: string, apps: Apps): void {
  replace(appsFile(directory), `${JSON.stringify(apps, null, 2)}\n`);
}
