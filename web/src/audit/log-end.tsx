import { Button, Loader } from '@mantine/core';
import classes from './audit.module.css';
import { MoreRows } from './more-rows.tsx';

interface LogEndProps {
  readonly rows: number;
  /** What a search that found little says about where it stands. */
  readonly state: 'more' | 'sparse' | 'loading' | 'failed' | 'end';
  readonly load: () => void;
}

/** Below the last row: older records, or that there are none. */
export function LogEnd({ rows, state, load }: LogEndProps) {
  return (
    <div className={classes['end']}>
      {state === 'loading' && <Loader size="sm" aria-label="Loading older records" />}
      {state === 'more' && <MoreRows load={load} />}
      {state === 'failed' && (
        <Button variant="default" onClick={load}>
          Older records did not load. Try again
        </Button>
      )}
      {/* Nobody waits for a search through years without having asked for it, and each look is itself recorded. */}
      {state === 'sparse' && (
        <>
          <span>
            {rows === 0 ? 'No record matches so far.' : 'No other record matches so far.'} Older ones were not looked
            at.
          </span>
          <Button variant="default" onClick={load}>
            Look further back
          </Button>
        </>
      )}
      {state === 'end' && rows > 0 && <span>{rows === 1 ? 'This is the only record.' : 'That is all.'}</span>}
    </div>
  );
}
