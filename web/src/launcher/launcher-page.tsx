import { SimpleGrid, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { LauncherResource } from '../../../src/control/contract/resources.ts';
import { meQuery, resourcesQuery } from '../api/queries.ts';
import { SearchIcon } from '../parts/icons.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ErrorState, State } from '../parts/state.tsx';
import classes from './launcher.module.css';
import { matches } from './match.ts';
import { ResourceCard } from './resource-card.tsx';

/** With fewer, a search box is only in the way. */
const SEARCH_FROM = 5;

/** Page 1: what I may use. */
export function LauncherPage() {
  const resources = useQuery(resourcesQuery);
  const contact = useQuery(meQuery).data?.contact ?? undefined;
  const [text, setText] = useState('');

  if (resources.isError) {
    return (
      <ErrorState
        title="Your apps cannot be shown right now"
        error={resources.error}
        retry={() => void resources.refetch()}
      />
    );
  }
  const all = resources.data?.resources ?? [];
  const shown = all.filter((resource) => matches(resource, text));
  return (
    <>
      <PageHead title="Apps" {...(all.length > 0 && { lead: leadOf(all) })}>
        {all.length >= SEARCH_FROM && (
          <TextInput
            className={classes['search'] ?? ''}
            type="search"
            aria-label="Search apps"
            placeholder="Search apps"
            leftSection={<SearchIcon size={16} />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        )}
      </PageHead>
      {resources.isPending && <Waiting />}
      {resources.data && all.length === 0 && (
        <State title="No apps yet">You are signed in, but nothing is shared with you so far. {askWhom(contact)}</State>
      )}
      {all.length > 0 && shown.length === 0 && (
        <State title="No app matches">Nothing you may use matches “{text}”.</State>
      )}
      {shown.length > 0 && (
        <SimpleGrid component="ul" className={classes['grid'] ?? ''} cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
          {shown.map((resource) => (
            <ResourceCard key={resource.name} resource={resource} />
          ))}
        </SimpleGrid>
      )}
      {all.length > 0 && <p className={classes['more']}>Missing something? {askWhom(contact)}</p>}
      <p className="visually-hidden" role="status">
        {text !== '' && (shown.length === 1 ? '1 app matches' : `${shown.length} apps match`)}
      </p>
    </>
  );
}

function leadOf(resources: readonly LauncherResource[]): string {
  const isWeb = ({ url }: LauncherResource) => url !== null;
  if (resources.every(isWeb)) return 'What you may use. Each opens in its own tab.';
  return 'What you may use. Web apps open in their own tab; to the rest leads a command on your machine.';
}

function askWhom(contact: string | undefined) {
  if (contact === undefined) return 'Ask whoever runs this relay for access.';
  const address = contact.includes('@') ? `mailto:${contact}` : undefined;
  return <>Ask {address ? <a href={address}>{contact}</a> : contact} for access.</>;
}

function Waiting() {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md" aria-busy="true" aria-label="Loading apps">
      {['a', 'b', 'c'].map((key) => (
        <Skeleton key={key} height={132} radius="md" />
      ))}
    </SimpleGrid>
  );
}
