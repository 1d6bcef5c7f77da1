import type { Decision } from '../../domain/decision.ts';
import type { Principal } from '../../domain/principal.ts';
import type { Resource } from '../../domain/resource.ts';
import type { RelayFacts } from '../ports.ts';
import { type Refusal, refusal } from './refusal.ts';

/** What a denied person learns: the rule's own sentence, as whom they asked, and whom to ask. Never rules, groups or reasons. */
export function deniedRefusal(
  decision: Decision,
  resource: Resource,
  { email, name }: Principal,
  relay: RelayFacts,
): Refusal {
  const sentence = decision.message ?? `You are signed in, but you may not do this on ${resource.title}.`;
  return { ...refusal(403, 'forbidden', sentence, resource.owner ?? relay.contact), person: email ?? name };
}
