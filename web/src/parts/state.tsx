import { Button, Code, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { RequestFailure } from '../api/request.ts';
import classes from './state.module.css';

/** What a page says when it has nothing to show, and what to do about it. */
export function State({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Stack className={classes['state'] ?? ''} gap="xs" align="center">
      <Title order={2} size="h4">
        {title}
      </Title>
      {children && (
        <Text c="dimmed" maw="30rem" component="div">
          {children}
        </Text>
      )}
      {action && <div className={classes['action']}>{action}</div>}
    </Stack>
  );
}

export function ErrorState({ title, error, retry }: { title: string; error: Error; retry?: () => void }) {
  const problem = error instanceof RequestFailure ? error.problem : undefined;
  // What was wrong with the request stays wrong: no use to try again, and its words say all.
  const final = problem !== undefined && problem.status < 500 && problem.status !== 429;
  return (
    <div role="alert">
      <State title={title} action={retry && !final && <Button onClick={retry}>Try again</Button>}>
        {error.message}
        {problem && !final && (
          <div className={classes['reference']}>
            Reference <Code>{problem.reference}</Code>
          </div>
        )}
      </State>
    </div>
  );
}

export function NotFound() {
  return (
    <State
      title="There is no such page"
      action={<Button renderRoot={(props) => <Link to="/" {...props} />}>Go to your apps</Button>}
    >
      The address may be mistyped, or the page has moved.
    </State>
  );
}
