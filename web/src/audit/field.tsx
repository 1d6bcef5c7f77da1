import { type ReactNode, useId } from 'react';
import classes from './record.module.css';

export function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section className={classes['section']} aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}

/** A line of a section; nothing when there is no value. */
export function Field({ label, children, mono = false }: { label: string; children?: ReactNode; mono?: boolean }) {
  if (children === undefined || children === null || children === '') return null;
  return (
    <div className={classes['field']}>
      <dt>{label}</dt>
      <dd className={mono ? 'mono' : undefined}>{children}</dd>
    </div>
  );
}
