import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A fresh Chromium with its own profile; `dispose` ends it and removes the profile. */
export async function openChromium(options: Parameters<typeof chromium.launchPersistentContext>[1] = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'postern-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: process.env['POSTERN_CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: ARGUMENTS,
    ...options,
  });
  return {
    context,
    async dispose() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
