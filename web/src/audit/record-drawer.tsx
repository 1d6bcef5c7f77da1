import { Drawer, Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { auditEntryQuery } from '../api/queries.ts';
import { ErrorState } from '../parts/state.tsx';
import classes from './record.module.css';
import { Record } from './record.tsx';

const route = getRouteApi('/audit/$id');

/** One record in full, at its own address. */
export function RecordDrawer() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = useNavigate();
  const entry = useQuery(auditEntryQuery(id));
  return (
    <Drawer
      opened
      onClose={() => void navigate({ to: '/audit', search })}
      position="right"
      size={560}
      overlayProps={{ backgroundOpacity: 0.4 }}
      title="Record"
      padding="lg"
      classNames={{
        content: classes['drawer'] ?? '',
        header: classes['bar'] ?? '',
        title: classes['name'] ?? '',
      }}
      closeButtonProps={{ 'aria-label': 'Close record' }}
      transitionProps={{ duration: 120 }}
    >
      {entry.isPending && (
        <Stack aria-busy="true" aria-label="Loading record">
          <Skeleton height={24} width="60%" />
          <Skeleton height={120} />
          <Skeleton height={120} />
        </Stack>
      )}
      {entry.isError && (
        <ErrorState title="The record cannot be shown" error={entry.error} retry={() => void entry.refetch()} />
      )}
      {entry.data && <Record entry={entry.data} />}
    </Drawer>
  );
}
