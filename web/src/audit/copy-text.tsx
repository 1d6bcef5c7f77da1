import { Button, CopyButton } from '@mantine/core';
import { CheckIcon, CopyIcon } from '../parts/icons.tsx';

export function CopyText({ label, text }: { label: string; text: string }) {
  return (
    <CopyButton value={text} timeout={2000}>
      {({ copied, copy }) => (
        <Button
          size="xs"
          variant="default"
          leftSection={copied ? <CheckIcon size={14} /> : <CopyIcon size={14} />}
          onClick={copy}
        >
          <span aria-live="polite">{copied ? 'Copied' : label}</span>
        </Button>
      )}
    </CopyButton>
  );
}
