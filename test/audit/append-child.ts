/** Appends to the embedded database at argv[2] until it is killed; one line per acknowledged record. */
import { writeSync } from 'node:fs';
import { openLog } from '../../src/audit/open-log.ts';
import { createLog } from '../../src/lib/log.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
import { openStore } from '../../src/store/open.ts';
import { intent } from './events.ts';

const log = createLog('silent');
const store = await openStore({ dataDir: process.argv[2] ?? '', log });
const audit = await openLog(new AuditLogTable(store), 'killed', log);
await Promise.all(
  Array.from({ length: 16 }, async () => {
    for (;;) writeSync(1, `${JSON.stringify(await audit.append(intent()))}\n`);
  }),
);
