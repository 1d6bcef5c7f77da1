import type { ReactNode } from 'react';
import type { LauncherResource } from '../../../src/control/contract/resources.ts';
import { OpenIcon } from '../parts/icons.tsx';
import classes from './launcher.module.css';

/** A web app opens in a tab; to everything else the command line leads. */
export function ResourceCard({ resource }: { resource: LauncherResource }) {
  const { url } = resource;
  if (url === null) {
    const command = commandFor(resource);
    return (
      <li className={classes['item']}>
        <div className={classes['card']}>
          <Content resource={resource} where={<code>{command}</code>} />
        </div>
      </li>
    );
  }
  return (
    <li className={classes['item']}>
      <a className={classes['card']} href={url} target="_blank" rel="noreferrer">
        <Content resource={resource} where={new URL(url).host} mark={<OpenIcon size={16} />} />
        <span className="visually-hidden">opens in a new tab</span>
      </a>
    </li>
  );
}

function commandFor({ protocol, name, leaseOnly }: LauncherResource): string {
  if (leaseOnly) return `postern lease ${name}`;
  if (protocol === 'network') return 'postern proxy --socks 1080';
  return protocol === 'ssh' ? `postern ssh ${name}` : `postern connect ${name}`;
}

function Content({ resource, where, mark }: { resource: LauncherResource; where: ReactNode; mark?: ReactNode }) {
  const { title, description, tags } = resource;
  return (
    <>
      <span className={classes['row']}>
        <span className={classes['letter']} aria-hidden="true">
          {title.slice(0, 1).toUpperCase()}
        </span>
        <span className={classes['title']}>{title}</span>
        {mark && <span className={classes['open']}>{mark}</span>}
      </span>
      {description && <span className={classes['description']}>{description}</span>}
      <span className={classes['foot']}>
        <span className={classes['host']}>{where}</span>
        {tags.map((tag) => (
          <span key={tag} className={classes['tag']}>
            {tag}
          </span>
        ))}
      </span>
    </>
  );
}
