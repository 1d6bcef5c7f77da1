import { ActionIcon, Autocomplete, Button, Select, TextInput, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type SubmitEvent, useEffect, useState } from 'react';
import { resourcesQuery } from '../api/queries.ts';
import { RefreshIcon, SearchIcon } from '../parts/icons.tsx';
import classes from './filters.module.css';
import { readFilter, writeFilter } from './query-text.ts';
import { EFFECTS, KINDS, TIMES } from './words.ts';

interface FiltersProps {
  /** The query in force, as in the address. */
  readonly query: string;
  /** Puts another query in force. */
  readonly ask: (query: string) => void;
  /** Reads the same again. */
  readonly again: () => void;
  readonly busy: boolean;
}

/** Filters and text are two views of one query. Typing asks on Enter: each search is a record in the log. */
export function Filters({ query, ask, again, busy }: FiltersProps) {
  const [text, setText] = useState(query);
  useEffect(() => setText(query), [query]);
  const resources = useQuery(resourcesQuery).data?.resources.map(({ name }) => name) ?? [];
  const set = (field: Parameters<typeof writeFilter>[1]) => (value: string | null) =>
    ask(writeFilter(text, field, value ?? ''));
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    ask(text);
  };

  return (
    <search className={classes['filters']}>
      <form onSubmit={submit} className={classes['text']}>
        <TextInput
          className={classes['query'] ?? ''}
          aria-label="Search the log"
          placeholder="Search, for example  effect:deny resource:wiki"
          leftSection={<SearchIcon size={16} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          spellCheck={false}
          autoComplete="off"
          maxLength={1000}
        />
        <Button type="submit">Search</Button>
        <Tooltip label="Read again">
          <ActionIcon variant="default" size={36} aria-label="Read again" loading={busy} onClick={again}>
            <RefreshIcon />
          </ActionIcon>
        </Tooltip>
      </form>
      <div className={classes['row']}>
        <Person key={`person ${query}`} value={readFilter(query, 'who')} set={set('who')} />
        <Resource
          key={`resource ${query}`}
          value={readFilter(query, 'resource')}
          names={resources}
          set={set('resource')}
        />
        <Choice label="Decision" data={EFFECTS} value={readFilter(query, 'effect')} set={set('effect')} />
        <Choice label="Kind" data={KINDS} value={readFilter(query, 'kind')} set={set('kind')} />
        <Choice label="Time" data={TIMES} value={readFilter(query, 'since')} set={set('since')} />
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          className={(query === '' ? classes['idle'] : classes['clear']) ?? ''}
          onClick={() => ask('')}
        >
          Clear
        </Button>
      </div>
    </search>
  );
}

interface FieldProps {
  readonly value: string;
  readonly set: (value: string | null) => void;
}

function Person({ value, set }: FieldProps) {
  const [typed, setTyped] = useState(value);
  const done = () => typed.trim() !== value && set(typed.trim());
  return (
    <TextInput
      size="xs"
      label="Person"
      placeholder="Anyone"
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={done}
      onKeyDown={(event) => event.key === 'Enter' && done()}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

function Resource({ value, names, set }: FieldProps & { readonly names: string[] }) {
  const [typed, setTyped] = useState(value);
  const done = () => typed.trim() !== value && set(typed.trim());
  return (
    <Autocomplete
      size="xs"
      label="Resource"
      placeholder="Any"
      data={names}
      value={typed}
      onChange={setTyped}
      onOptionSubmit={set}
      onBlur={done}
      onKeyDown={(event) => event.key === 'Enter' && done()}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

interface ChoiceProps extends FieldProps {
  readonly label: string;
  readonly data: readonly { readonly value: string; readonly label: string }[];
}

function Choice({ label, data, value, set }: ChoiceProps) {
  // A value that somebody typed stays visible, though it is none of ours.
  const known = data.some((option) => option.value === value);
  const options = known ? [...data] : [...data, { value, label: value }];
  return <Select size="xs" label={label} data={options} value={value} allowDeselect={false} onChange={set} />;
}
