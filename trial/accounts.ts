/** The people of the demo provider. The password is the name. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly groups: readonly string[];
  /** For the tour and the sign-in page. */
  readonly about: string;
}

export const ACCOUNTS: readonly Account[] = [
  { id: 'alice', name: 'Alice Ader', groups: ['employees', 'engineering'], about: 'engineering' },
  { id: 'bob', name: 'Bob Brandt', groups: ['employees', 'sales'], about: 'sales' },
  { id: 'eve', name: 'Eve Ek', groups: ['contractors'], about: 'contractor' },
  { id: 'sam', name: 'Sam Soto', groups: ['employees', 'security'], about: 'security: admin of Postern' },
  { id: 'audrey', name: 'Audrey Abel', groups: ['employees', 'audit'], about: 'auditor' },
];

export function emailOf(account: Account): string {
  return `${account.id}@example.com`;
}
