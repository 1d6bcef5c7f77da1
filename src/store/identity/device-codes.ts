import { and, count, eq, gt, isNull, lte, sql } from 'drizzle-orm';
import type {
  AskingDevice,
  DeviceCodeBounds,
  NewDeviceCode,
  PolledDeviceCode,
  PollPace,
} from '../../domain/stored/device-code.ts';
import type { Store } from '../open.ts';
import { deviceCode } from './schema.ts';
import { answer } from './unavailable.ts';

/** Key of the advisory lock under which those that wait are counted and one is added. */
const LOCK = 7_067_003;

export function createDeviceCodeStore({ db }: Pick<Store, 'db'>) {
  return {
    add(input: NewDeviceCode, bounds: DeviceCodeBounds): Promise<'added' | 'full' | 'taken'> {
      return answer(
        db.transaction(async (tx) => {
          await tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK})`);
          await tx.delete(deviceCode).where(lte(deviceCode.expiresAt, input.askedAt));
          const ofNetwork = sql<number>`count(*) filter (where ${deviceCode.network} = ${input.network})`;
          const [waiting] = await tx.select({ inAll: count(), ofNetwork: ofNetwork.mapWith(Number) }).from(deviceCode);
          if (!waiting || waiting.inAll >= bounds.inAll || waiting.ofNetwork >= bounds.perNetwork) return 'full';
          const added = await tx.insert(deviceCode).values(input).onConflictDoNothing().returning();
          return added.length > 0 ? 'added' : 'taken';
        }),
      );
    },

    async findWaiting(userCode: string, nowMs: number): Promise<AskingDevice | undefined> {
      const { machine, address, askedAt } = deviceCode;
      const [row] = await answer(
        db.select({ machine, address, askedAt }).from(deviceCode).where(isWaiting(userCode, nowMs)),
      );
      return row;
    },

    /** One statement: the first answer counts. */
    async answer(userCode: string, session: string | undefined, nowMs: number): Promise<boolean> {
      const answered = await answer(
        db
          .update(deviceCode)
          .set(session === undefined ? { refusedAt: nowMs } : { session })
          .where(isWaiting(userCode, nowMs))
          .returning(),
      );
      return answered.length > 0;
    },

    /** The row is locked: of two polls at once one gets the answer. */
    poll(hash: string, pace: PollPace, nowMs: number): Promise<PolledDeviceCode> {
      const same = eq(deviceCode.hash, hash);
      return answer(
        db.transaction(async (tx): Promise<PolledDeviceCode> => {
          const [row] = await tx.select().from(deviceCode).where(same).for('update');
          if (!row || row.expiresAt <= nowMs) return { state: 'expired' };
          const { session, machine, address, polledAt, refusedAt } = row;
          if (session !== null || refusedAt !== null) await tx.delete(deviceCode).where(same);
          if (session !== null) return { state: 'allowed', session, machine, address };
          if (refusedAt !== null) return { state: 'refused' };
          const early = polledAt !== null && nowMs - polledAt < row.intervalMs - pace.slackMs;
          const intervalMs = early ? Math.min(row.intervalMs + pace.stepMs, pace.mostMs) : row.intervalMs;
          await tx.update(deviceCode).set({ polledAt: nowMs, intervalMs }).where(same);
          return { state: early ? 'slow_down' : 'pending', intervalMs };
        }),
      );
    },
  };
}

function isWaiting(userCode: string, nowMs: number) {
  return and(
    eq(deviceCode.userCode, userCode),
    gt(deviceCode.expiresAt, nowMs),
    isNull(deviceCode.session),
    isNull(deviceCode.refusedAt),
  );
}
