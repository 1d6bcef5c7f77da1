import { Button } from '@mantine/core';
import { useIntersection } from '@mantine/hooks';
import { useEffect } from 'react';

/** Loads when scrolled near; a button, so that the keyboard can do it too. */
export function MoreRows({ load }: { load: () => void }) {
  const { ref, entry } = useIntersection({ rootMargin: '400px' });
  const near = entry?.isIntersecting === true;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each time it comes near
  useEffect(() => {
    if (near) load();
  }, [near]);
  return (
    <Button ref={ref} variant="default" size="xs" onClick={load}>
      Show older records
    </Button>
  );
}
