/** PostgreSQL's own settings are for a machine of its own; here the kernel's cache of files does most of what large buffers would. */
const SETTINGS = ['shared_buffers=16MB', 'wal_buffers=1MB', 'maintenance_work_mem=16MB', 'max_connections=4'];

/** For `startParams`, after those that PGlite needs. */
export const MEMORY_SETTINGS: readonly string[] = SETTINGS.flatMap((setting) => ['-c', setting]);
