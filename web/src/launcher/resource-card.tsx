import type { LauncherResource } from '../../../src/control/contract/resources.ts';
import { OpenIcon } from '../parts/icons.tsx';
import classes from './launcher.module.css';

export function ResourceCard({ resource }: { resource: LauncherResource }) {
  const { title, description, url, tags } = resource;
  return (
    <li className={classes['item']}>
      <a className={classes['card']} href={url} target="_blank" rel="noreferrer">
        <span className={classes['row']}>
          <span className={classes['letter']} aria-hidden="true">
            {title.slice(0, 1).toUpperCase()}
          </span>
          <span className={classes['title']}>{title}</span>
          <span className={classes['open']}>
            <OpenIcon size={16} />
          </span>
        </span>
        {description && <span className={classes['description']}>{description}</span>}
        <span className={classes['foot']}>
          <span className={classes['host']}>{new URL(url).host}</span>
          {tags.map((tag) => (
            <span key={tag} className={classes['tag']}>
              {tag}
            </span>
          ))}
        </span>
        <span className="visually-hidden">opens in a new tab</span>
      </a>
    </li>
  );
}
