import { Avatar, Badge, Group, Menu, Text, UnstyledButton } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { Me } from '../../../src/control/contract/me.ts';
import { postJson } from '../api/request.ts';
import { LeaveIcon } from '../parts/icons.tsx';
import { dayAndTime } from '../parts/time.ts';
import { SchemeSwitch } from './scheme-switch.tsx';
import classes from './who-menu.module.css';

/** Who I am, which roles I have, and the way out. */
export function WhoMenu({ me }: { me: Me }) {
  const { person, roles, session } = me;
  const name = person.name ?? person.email ?? person.subject;
  const signOut = useMutation({
    mutationFn: () => postJson<{ location: string }>(me.signOut, {}),
    onSuccess: ({ location }) => window.location.assign(location),
  });

  return (
    <Menu position="bottom-end" width={272} shadow="md" closeOnItemClick={false} withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes['who'] ?? ''} aria-label={`${name}: account and sign out`}>
          <Text size="sm" fw={500} visibleFrom="xs" className={classes['name'] ?? ''}>
            {name}
          </Text>
          <Avatar size={30} radius="xl" color="postern" name={name} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown className={classes['dropdown'] ?? ''}>
        <div className={classes['card']}>
          <Text fw={600} className={classes['wrap'] ?? ''}>
            {name}
          </Text>
          {person.email && person.email !== name && (
            <Text size="sm" c="dimmed" className={classes['wrap'] ?? ''}>
              {person.email}
            </Text>
          )}
          {roles.length > 0 && (
            <Group gap={6} mt={8}>
              {roles.map((role) => (
                <Badge key={role} variant="light" size="sm" tt="none" radius="sm">
                  {role}
                </Badge>
              ))}
            </Group>
          )}
          <Text size="xs" c="dimmed" mt={10}>
            Signed in {dayAndTime(session.signedInAt)}
            <br />
            Ends {dayAndTime(session.expiresAt)} at the latest
          </Text>
        </div>
        <Menu.Divider />
        <div className={classes['card']}>
          <SchemeSwitch />
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<LeaveIcon size={16} />} onClick={() => signOut.mutate()} disabled={signOut.isPending}>
          {signOut.isPending ? 'Signing out…' : 'Sign out everywhere'}
        </Menu.Item>
        {signOut.isError && (
          <Text role="alert" size="sm" c="var(--deny)" px="sm" pb="xs">
            {signOut.error.message}
          </Text>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
