import type {
  AskingDevice,
  DeviceCodeBounds,
  NewDeviceCode,
  PolledDeviceCode,
  PollPace,
} from '../domain/stored/device-code.ts';

/** Machines that wait for a person's word (RFC 8628). */
export interface DeviceCodeStore {
  /** Counts those that wait and adds this one in one step. `taken`: another has this user code. */
  add(code: NewDeviceCode, bounds: DeviceCodeBounds): Promise<'added' | 'full' | 'taken'>;
  /** By the hash of its user code; undefined when it is unknown, answered or over. */
  findWaiting(userCode: string, nowMs: number): Promise<AskingDevice | undefined>;
  /** With the session that agrees; undefined: refused. Once; false when it does not wait. */
  answer(userCode: string, session: string | undefined, nowMs: number): Promise<boolean>;
  /** Once answered, it is gone with this. */
  poll(hash: string, pace: PollPace, nowMs: number): Promise<PolledDeviceCode>;
}
