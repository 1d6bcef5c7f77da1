import type { ReactNode } from 'react';

/** Line icons on a 20-unit grid, in the colour of the text; decoration only, so hidden from screen readers. */
function Icon({ children, size = 18 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

interface Sized {
  readonly size?: number;
}

export const AppsIcon = (sized: Sized) => (
  <Icon {...sized}>
    <rect x="3" y="3" width="5.5" height="5.5" rx="1.2" />
    <rect x="11.5" y="3" width="5.5" height="5.5" rx="1.2" />
    <rect x="3" y="11.5" width="5.5" height="5.5" rx="1.2" />
    <rect x="11.5" y="11.5" width="5.5" height="5.5" rx="1.2" />
  </Icon>
);

export const AuditIcon = (sized: Sized) => (
  <Icon {...sized}>
    <path d="M5 2.8h7l3.5 3.5v10.9H5z" />
    <path d="M7.8 9h5M7.8 12h5M7.8 6h2" />
  </Icon>
);

export const SearchIcon = (sized: Sized) => (
  <Icon {...sized}>
    <circle cx="8.8" cy="8.8" r="5.2" />
    <path d="m12.7 12.7 4 4" />
  </Icon>
);

export const OpenIcon = (sized: Sized) => (
  <Icon {...sized}>
    <path d="M8 4.5H4.5v11h11V12M11.5 4h4.5v4.5M15.8 4.2 9 11" />
  </Icon>
);

export const RefreshIcon = (sized: Sized) => (
  <Icon {...sized}>
    <path d="M16 10a6 6 0 1 1-1.8-4.3M16.2 3v3.2H13" />
  </Icon>
);

export const CopyIcon = (sized: Sized) => (
  <Icon {...sized}>
    <rect x="7" y="7" width="9.5" height="9.5" rx="1.6" />
    <path d="M13 4.4A1.4 1.4 0 0 0 11.8 3.5H5A1.5 1.5 0 0 0 3.5 5v6.8c0 .5.3 1 .9 1.2" />
  </Icon>
);

export const CheckIcon = (sized: Sized) => (
  <Icon {...sized}>
    <path d="m4 10.5 4 4 8-9" />
  </Icon>
);

export const LeaveIcon = (sized: Sized) => (
  <Icon {...sized}>
    <path d="M8.5 3.5H4.5v13h4M12.5 6.5 16 10l-3.5 3.5M16 10H8" />
  </Icon>
);
