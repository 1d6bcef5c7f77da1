// Creates the files of an embedded database in the directory that it is given, then ends.
import { PGlite } from '@electric-sql/pglite';
import { MEMORY_SETTINGS } from './settings.ts';

// Nobody waits any more.
process.on('disconnect', () => process.exit(1));

const [dataDir = ''] = process.argv.slice(2);
const db = await PGlite.create(dataDir, { startParams: [...PGlite.defaultStartParams, ...MEMORY_SETTINGS] });
await db.close();
process.exit(0);
