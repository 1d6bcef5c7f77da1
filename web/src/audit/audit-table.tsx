import { Skeleton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { AuditRow } from '../../../src/control/contract/audit.ts';
import { clockOf, dayOf, duration, utc } from '../parts/time.ts';
import classes from './audit.module.css';
import { Verdict } from './verdict.tsx';
import { endWord } from './words.ts';

/** Rows by day; the time of each is the link to its record, and the whole row is its target. */
export function AuditTable({ rows, query }: { rows: readonly AuditRow[]; query: string }) {
  return (
    <div className={classes['frame']}>
      <table className={classes['table']}>
        <caption className="visually-hidden">Audit records, newest first</caption>
        <thead>
          <tr>
            <th scope="col" className={classes['when']}>
              Time
            </th>
            <th scope="col" className={classes['who']}>
              Who
            </th>
            <th scope="col">What</th>
            <th scope="col" className={classes['verdict']}>
              Decision
            </th>
            <th scope="col" className={classes['status']}>
              Status
            </th>
            <th scope="col" className={classes['took']}>
              Duration
            </th>
          </tr>
        </thead>
        {byDay(rows).map(([day, ofDay]) => (
          <tbody key={`${day} ${ofDay[0]?.id}`}>
            <tr className={classes['day']}>
              <th scope="rowgroup" colSpan={6}>
                {day}
              </th>
            </tr>
            {ofDay.map((row) => (
              <Row key={row.id} row={row} query={query} />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Row({ row, query }: { row: AuditRow; query: string }) {
  const { id, at, person, actor, summary, status, durationMs } = row;
  return (
    <tr className={classes['row']}>
      <td className={classes['when']}>
        <Link
          className={classes['open']}
          to="/audit/$id"
          params={{ id }}
          search={query === '' ? {} : { query }}
          title={utc(at)}
          aria-label={`${clockOf(at)}, open record`}
        >
          <time dateTime={utc(at)}>{clockOf(at)}</time>
        </Link>
      </td>
      <td className={classes['who']} title={person?.email ?? undefined}>
        {person ? (person.email ?? person.name) : <span className={classes['nobody']}>{actor}</span>}
      </td>
      <td className={classes['what']} title={summary}>
        <What row={row} />
      </td>
      {row.effect === null ? (
        <td className={classes['verdict']} colSpan={3}>
          <Verdict row={row} />
        </td>
      ) : (
        <>
          <td className={classes['verdict']}>
            <Verdict row={row} />
          </td>
          <td className={classes['status']}>{status ?? <End row={row} />}</td>
          <td className={classes['took']}>{durationMs !== null && duration(durationMs)}</td>
        </>
      )}
    </tr>
  );
}

/** Of an access the resource and the path or place within it: the host says the same again, and stands in the tooltip and the record. */
function What({ row: { resource, method, path, destination, summary } }: { row: AuditRow }) {
  if (resource === null) return summary;
  const within = isConnection(method) ? destination : (path ?? '(erased)');
  return (
    <div className={classes['access']}>
      <span className={classes['method']}>{method}</span>
      <span className={classes['resource']}>{resource}</span>
      <span className={classes['path']}>{within}</span>
    </div>
  );
}

function isConnection(method: string | null): boolean {
  return method === 'CONNECT' || method === 'LEASE';
}

/** How it ended, where there was no status to say it. */
function End({ row: { effect, end } }: { row: AuditRow }) {
  if (end !== null) return <span className={end === 'completed' ? undefined : classes['odd']}>{endWord(end)}</span>;
  return effect === 'allow' && <span className={classes['nobody']}>no end yet</span>;
}

function byDay(rows: readonly AuditRow[]): [string, AuditRow[]][] {
  const days: [string, AuditRow[]][] = [];
  for (const row of rows) {
    const day = dayOf(row.at);
    const last = days.at(-1);
    if (last?.[0] === day) last[1].push(row);
    else days.push([day, [row]]);
  }
  return days;
}

export function WaitingTable() {
  return (
    <div className={classes['frame']} aria-busy="true" aria-label="Loading records">
      {Array.from({ length: 12 }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all alike
        <div key={at} className={classes['waiting']}>
          <Skeleton height={10} width="100%" radius="sm" />
        </div>
      ))}
    </div>
  );
}
