import type { AuditRow } from '../../../src/control/contract/audit.ts';
import classes from './verdict.module.css';
import { isRefusal, kindWord } from './words.ts';

/** The decision of an access; of anything else, what kind of event it is. Never by colour alone. */
export function Verdict({ row }: { row: Pick<AuditRow, 'kind' | 'effect'> }) {
  if (row.effect === 'deny') return <span className={classes['deny']}>Denied</span>;
  if (row.effect === 'allow') return <span className={classes['allow']}>Allowed</span>;
  return <span className={isRefusal(row.kind) ? classes['refused'] : classes['event']}>{kindWord(row.kind)}</span>;
}
