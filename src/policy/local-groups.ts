import { didYouMean } from '../config/did-you-mean.ts';
import type { Place, Problems } from '../config/problem.ts';
import type { LocalGroup } from './rule.ts';

export interface WrittenGroup {
  readonly place: Place;
  readonly members: readonly { readonly member: string; readonly place: Place }[];
}

/**
 * Replaces groups in groups by their members, at any depth (Casbin silently stops at 10). A group that contains itself,
 * or one that does not exist, is a problem.
 */
export function flattenGroups(groups: ReadonlyMap<string, WrittenGroup>, problems: Problems): LocalGroup[] {
  const done = new Map<string, ReadonlySet<string>>();
  const inProgress = new Set<string>();

  const membersOf = (name: string, group: WrittenGroup): ReadonlySet<string> => {
    const known = done.get(name);
    if (known) return known;
    inProgress.add(name);
    const members = new Set<string>();
    for (const { member, place } of group.members) {
      if (!member.startsWith('group:')) {
        members.add(member);
        continue;
      }
      const inner = member.slice('group:'.length);
      const found = groups.get(inner);
      if (!found) problems.add(place, `there is no local group "${inner}"${didYouMean(inner, groups.keys())}`);
      else if (inProgress.has(inner)) problems.add(place, `the group "${inner}" contains itself`);
      else for (const each of membersOf(inner, found)) members.add(each);
    }
    inProgress.delete(name);
    done.set(name, members);
    return members;
  };

  return [...groups].map(([name, group]) => ({ name, members: [...membersOf(name, group)] }));
}
