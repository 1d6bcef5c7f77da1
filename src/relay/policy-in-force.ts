import type { RelayConfig } from '../config/relay-config.ts';
import type { PolicyView } from '../control/ports.ts';
import type { AuditAppender } from '../domain/audit-event.ts';
import type { Change } from '../domain/change.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { pause } from '../lib/wait.ts';
import { type LoadedPolicy, loadPolicy } from '../policy/load-policy.ts';
import { policyDifference } from '../policy/policy-difference.ts';
import { watchPolicy } from '../policy/policy-source.ts';
import type { RuleSet } from '../policy/rule.ts';
import type { LoadedVersions } from '../store/loaded-versions.ts';
import { recordLoad } from './load-record.ts';
import { SnapshotHolder } from './snapshot-holder.ts';

export interface PolicyParts {
  readonly config: RelayConfig;
  readonly audit: AuditAppender;
  readonly versions: LoadedVersions;
  /** Agents may bring resources that are not in the configuration. */
  readonly mayAnnounce: () => boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface PolicyInForce {
  readonly snapshots: SnapshotHolder;
  /** What the control plane shows of it. */
  view(): PolicyView;
  /** Follows the files from now on. `onChange` hears of a new version after `snapshots` has it. */
  follow(onChange: (change: Change) => void): void;
}

const RETRY_MS = 1_000;

/** Loads the policy and records that. Rejects with `policy_invalid`: a relay does not start on rules it cannot read. */
export async function openPolicy(parts: PolicyParts): Promise<PolicyInForce> {
  const { config, audit, versions, mayAnnounce, log, signal } = parts;
  const surroundings = { resources: config.resources, issuer: config.provider.issuer, mayAnnounce };
  const initial = loadPolicy(config.policy.directory, surroundings);
  const snapshots = new SnapshotHolder(initial.policy, config.resources);
  const previous = await versions.latest('policy');
  await recordPolicy(initial, policyDifference(previous?.body as RuleSet | undefined, initial.ruleSet), previous?.hash);
  warn(initial);
  let inForce = viewOf(initial);

  function viewOf({ policy, ruleSet, warnings }: LoadedPolicy): PolicyView {
    return { version: policy.version, loadedAt: clock(), ruleSet, warnings, refusal: undefined };
  }

  async function recordPolicy(loaded: LoadedPolicy, difference: readonly string[], previousHash: string | undefined) {
    const hash = loaded.policy.version;
    await recordLoad(audit, clock, { kind: 'policy.loaded', hash, previousHash, difference });
    await versions.save('policy', { hash, body: loaded.ruleSet }, clock());
  }

  async function attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      log.error({ error: messageOf(error) }, 'a policy could not be recorded; trying again');
      return false;
    }
  }

  async function untilDone(work: () => Promise<void>): Promise<void> {
    do await pause(RETRY_MS, signal);
    while (!signal.aborted && !(await attempt(work)));
  }

  function warn({ warnings }: LoadedPolicy): void {
    for (const warning of warnings) log.warn({ warning }, 'the policy can be used, but look at this');
  }

  return {
    snapshots,
    view: () => inForce,
    follow(onChange) {
      const watching = watchPolicy(config.policy.directory, surroundings, {
        initial,
        signal,
        async onLoaded(loaded, difference) {
          const previousHash = snapshots.current.policy.version;
          const swap = () => {
            const { version } = snapshots.swapPolicy(loaded.policy);
            inForce = viewOf(loaded);
            log.info({ policy: loaded.policy.version, difference }, 'a new policy is in force');
            onChange({ kind: 'snapshot_changed', version });
          };
          warn(loaded);
          const recorded = await attempt(() => recordPolicy(loaded, difference, previousHash));
          // Without the log nothing new is allowed anyway, but what the policy takes away must go at once.
          swap();
          if (!recorded) await untilDone(() => recordPolicy(loaded, difference, previousHash));
        },
        onUnchanged() {
          inForce = { ...inForce, refusal: undefined };
        },
        async onRefused(problems, hash) {
          for (const problem of problems) log.error({ problem }, 'the changed policy was refused; the old one stays');
          inForce = { ...inForce, refusal: { at: clock(), hash, problems } };
          const previousHash = snapshots.current.policy.version;
          await recordLoad(audit, clock, { kind: 'policy.refused', hash, previousHash, difference: problems }).catch(
            (error: unknown) => log.error({ error: messageOf(error) }, 'the refusal could not be recorded'),
          );
        },
      });
      watching.catch((error: unknown) => log.error({ error: messageOf(error) }, 'the policy is not watched any more'));
    },
  };
}
