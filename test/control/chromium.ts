import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { LAUNCH } from '../e2e/chromium.ts';

/** A fresh Chromium with its own profile; `dispose` ends it and removes the profile. */
export async function openChromium(options: Parameters<typeof chromium.launchPersistentContext>[1] = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'postern-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    ...LAUNCH,
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
