import { test } from 'node:test';
import { startPostgres } from '../store/databases.ts';
import { startInstallation } from './installation.ts';
import { assertRefusedDuring, SHORT_COMMIT } from './refused.ts';
import { mountSmallDisk, noSmallDisk } from './small-disk.ts';
import { assertLogged } from './whole-log.ts';

test('the disk of PostgreSQL is full: refused while it lasts, well again by itself, the log whole', {
  skip: noSmallDisk,
}, async () => {
  await using disk = await mountSmallDisk(128);
  await using cluster = await startPostgres(['min_wal_size=8MB', 'max_wal_size=16MB'], disk.path);
  const databaseUrl = (await cluster.createDatabase()).reveal();
  await using world = await startInstallation({ databaseUrl, commitTimeout: SHORT_COMMIT });
  const browser = await world.signIn();
  const strike = async (): Promise<void> => disk.fill();
  const heal = async (): Promise<void> => {
    disk.free();
    // It gives up when it cannot even recover; then whoever runs it starts it again.
    await cluster.start();
  };
  await assertRefusedDuring({ name: 'disk full', strike, heal, flickers: true }, world, browser);
  await assertLogged({ databaseUrl, dataDir: world.dataDir }, world.target.seen);
});

test('the disk of the embedded database is full: refused while it lasts, well again by itself, the log whole', {
  skip: noSmallDisk,
}, async () => {
  await using disk = await mountSmallDisk(160);
  await using world = await startInstallation({ dataDir: disk.path, commitTimeout: SHORT_COMMIT });
  const browser = await world.signIn();
  const strike = async (): Promise<void> => disk.fill();
  const heal = async (): Promise<void> => disk.free();
  await assertRefusedDuring({ name: 'disk full', strike, heal, flickers: true }, world, browser);
  await world.stopRelay();
  await assertLogged(world, world.target.seen);
});
