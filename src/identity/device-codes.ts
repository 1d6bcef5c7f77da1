import type { Session } from '../domain/session.ts';
import { sha256Hex } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { PosternError } from '../lib/errors.ts';
import { clientNetwork } from '../lib/networks.ts';
import { RateLimiter } from '../lib/rate.ts';
import type { DeviceCodeStore } from './device-code-store.ts';
import type { Mint } from './keys/mint.ts';
import type { Strangers } from './ports.ts';
import type { IssuedToken, Tokens } from './tokens.ts';
import { newUserCode, parseUserCode, showUserCode } from './user-code.ts';

export interface DeviceCodeDeps {
  readonly store: DeviceCodeStore;
  readonly tokens: Pick<Tokens, 'issueToDevice'>;
  readonly mint: Mint;
  /** Of user codes, which are too short for a plain hash. */
  readonly hashUserCode: (code: string) => string;
  readonly relayOrigin: string;
  readonly strangers: Strangers;
  readonly clock: Clock;
}

/** What RFC 8628 §3.2 answers, for a machine without a browser. */
export interface DeviceCode {
  /** For the machine: it asks with this for its token. */
  readonly deviceCode: string;
  /** For the person: it says which machine they mean. */
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly intervalMs: number;
}

/** A machine that waits. */
export interface WaitingDevice {
  readonly userCode: string;
  readonly machine: string;
  readonly address: string;
  /** Since it asked. */
  readonly waitingMs: number;
}

export type DevicePoll =
  | { readonly state: 'pending' | 'slow_down'; readonly intervalMs: number }
  /** Also for what is unknown or was used. */
  | { readonly state: 'refused' | 'expired' }
  | { readonly state: 'issued'; readonly token: IssuedToken };

const LIFE_MS = 10 * 60_000;
/** RFC 8628 §3.5: who asks too soon must wait 5 s longer from then on. */
const PACE = { intervalMs: 5_000, slackMs: 1_000, stepMs: 5_000, mostMs: 60_000 } as const;
const BOUNDS = { perNetwork: 10, inAll: 1_000 } as const;
/** Looks at codes by one person: of 20^8 codes at most a thousand live, so guessing leads nowhere (RFC 8628 §5.1). */
const LOOKS = { perSecond: 20 / 600, burst: 20 } as const;
/** Two codes alike among so many: it does not happen twice. */
const ATTEMPTS = 3;

export type DeviceCodes = ReturnType<typeof createDeviceCodes>;

/** Sign-in of command lines on machines without a browser (RFC 8628). All state is in the database, for every relay. */
export function createDeviceCodes(deps: DeviceCodeDeps) {
  const { store, tokens, mint, hashUserCode, relayOrigin, strangers, clock } = deps;
  const looks = new RateLimiter(LOOKS);

  function readCode(session: Session, typed: string): string {
    if (!looks.take(session.principal.id, clock())) {
      throw new PosternError('limit_reached', 'You tried too many codes. Wait a few minutes, then try again.');
    }
    return parseUserCode(typed) ?? unknown();
  }

  return {
    /** Rejects with `limit_reached` while too many machines wait, of this network or in all. */
    async begin(machine: string, address: string): Promise<DeviceCode> {
      const deviceCode = mint.mint();
      const askedAt = clock();
      const expiresAt = askedAt + LIFE_MS;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const code = newUserCode();
        const added = await store.add(
          {
            hash: sha256Hex(deviceCode),
            userCode: hashUserCode(code),
            machine,
            address,
            network: clientNetwork(address),
            askedAt,
            expiresAt,
            intervalMs: PACE.intervalMs,
          },
          BOUNDS,
        );
        if (added === 'full') break;
        if (added === 'taken') continue;
        const userCode = showUserCode(code);
        const verificationUri = `${relayOrigin}/cli/device`;
        return {
          deviceCode,
          userCode,
          verificationUri,
          verificationUriComplete: `${verificationUri}?code=${userCode}`,
          expiresAt,
          intervalMs: PACE.intervalMs,
        };
      }
      strangers.refused('device_code_refused', address);
      throw new PosternError('limit_reached', 'Too many machines wait for a sign-in. Try again in ten minutes.');
    },

    /** The machine that shows this code. Rejects with `not_found`, and with `limit_reached` for who tries many. */
    async find(session: Session, typed: string): Promise<WaitingDevice> {
      const code = readCode(session, typed);
      const found = await store.findWaiting(hashUserCode(code), clock());
      if (!found) return unknown();
      const { machine, address, askedAt } = found;
      return { userCode: showUserCode(code), machine, address, waitingMs: clock() - askedAt };
    },

    /** The person's word, once. Rejects as `find`. */
    async answer(session: Session, typed: string, answer: 'allow' | 'refuse'): Promise<void> {
      const code = hashUserCode(readCode(session, typed));
      const known = await store.answer(code, answer === 'allow' ? session.id : undefined, clock());
      if (!known) unknown();
    },

    /** What the machine hears. The token is issued with this answer, and never again. */
    async poll(deviceCode: string): Promise<DevicePoll> {
      if (!mint.isOurs(deviceCode)) return { state: 'expired' };
      const polled = await store.poll(sha256Hex(deviceCode), PACE, clock());
      if (polled.state !== 'allowed') return polled;
      const token = await tokens.issueToDevice(polled);
      return token ? { state: 'issued', token } : { state: 'expired' };
    },
  };
}

function unknown(): never {
  throw new PosternError(
    'not_found',
    'No machine waits with this code. Codes work once and for ten minutes: look again, or start the command anew.',
  );
}
