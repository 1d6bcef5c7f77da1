import type { ReactNode } from 'react';
import type { Role } from '../../../src/domain/principal.ts';
import { AppsIcon, AuditIcon } from '../parts/icons.tsx';

interface PageEntry {
  readonly to: '/' | '/audit';
  readonly label: string;
  readonly icon: ReactNode;
  /** Any of these; undefined: everybody. The API decides, this only keeps dead ends out of the navigation. */
  readonly roles?: readonly Role[];
}

const PAGES: readonly PageEntry[] = [
  { to: '/', label: 'Apps', icon: <AppsIcon /> },
  { to: '/audit', label: 'Audit log', icon: <AuditIcon />, roles: ['auditor', 'security', 'admin'] },
];

export function pagesFor(roles: readonly Role[]): readonly PageEntry[] {
  return PAGES.filter((page) => page.roles === undefined || page.roles.some((role) => roles.includes(role)));
}
