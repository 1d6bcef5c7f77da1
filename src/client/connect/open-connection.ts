import type { Duplex } from 'node:stream';
import { hasCode } from '../../lib/errors.ts';
import { listResources } from '../resources.ts';
import type { ResourceServing } from './serve-resource.ts';
import { wayInstead } from './way-instead.ts';

/**
 * One connection to a resource. Of a name that takes none the relay says no more than that, whatever it is; where the
 * person's own list has it, this rejects with `request_invalid` and says what leads there.
 */
export async function openConnection(serving: Omit<ResourceServing, 'failed'>): Promise<Duplex> {
  const { resource, person, gate, signal } = serving;
  try {
    return await gate.guard(person.tunnel).open({ resource }, signal);
  } catch (error) {
    if (!hasCode(error, 'not_found')) throw error;
    const listed = await listResources(person.credential(), signal).catch(() => []);
    const found = listed.find(({ name }) => name === resource);
    throw (found && wayInstead(found)) ?? error;
  }
}
