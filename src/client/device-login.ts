import Type from 'typebox';
import { PosternError } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { parser } from '../lib/schema.ts';
import { Secret } from '../lib/secret.ts';
import { pause } from '../lib/wait.ts';
import type { Credential } from './credentials.ts';
import { callRelay, machineName } from './relay-api.ts';
import { TokenText } from './token-text.ts';

/** What the person needs on the machine where their browser is. */
export interface ShownCode {
  readonly address: string;
  readonly code: string;
  /** The address with the code in it. */
  readonly whole: string;
}

export interface DeviceLoginOptions {
  /** Origin of the relay. */
  readonly relay: string;
  /** Called once. */
  readonly show: (shown: ShownCode) => void;
  readonly signal: AbortSignal;
  /** Tests make waiting short. */
  readonly wait?: typeof pause;
}

/** Answers to one poll that failed on the way are not the end of the sign-in; so many in a row are. */
const MAX_FAILURES = 5;
/** A code lives ten minutes; a relay that never says so must not keep a script waiting for ever. */
const LIMIT_MS = 15 * 60_000;
const ASK_MS = 500;

/** Signs this command line in without a browser on this machine (RFC 8628): a person agrees elsewhere, by a code. */
export async function loginByDevice(options: DeviceLoginOptions): Promise<Omit<Credential, 'profile'>> {
  const { relay, show, signal, wait = pause } = options;
  const post = (path: string, json: unknown) => callRelay({ relay, method: 'POST', path, json, signal });
  const begun = parseBegun(await post('/cli/device', { machine: machineName() }));
  show({ address: begun.verificationUri, whole: begun.verificationUriComplete, code: begun.userCode });

  let { intervalMs } = begun;
  let failures = 0;
  let askedAt = 0;
  // Asking takes its time, too, however fast or slowly the relay answers.
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += intervalMs + Math.max(ASK_MS, performance.now() - askedAt)) {
    await wait(intervalMs, signal);
    askedAt = performance.now();
    if (signal.aborted) throw new PosternError('aborted', 'The sign-in was stopped.');
    let polled: ReturnType<typeof parsePolled>;
    try {
      polled = parsePolled(await post('/cli/device/token', { deviceCode: begun.deviceCode }));
      failures = 0;
    } catch (error) {
      failures += 1;
      if (signal.aborted || failures > MAX_FAILURES) throw error;
      continue;
    }
    switch (polled.state) {
      case 'pending':
      case 'slow_down':
        intervalMs = polled.intervalMs;
        break;
      case 'refused':
        throw new PosternError('sign_in_refused', 'The sign-in was refused at the relay.');
      case 'expired':
        throw codeIsOver();
      case 'issued':
        return {
          relay,
          token: new Secret(polled.token),
          expiresAt: polled.expiresAt,
          person: printable(polled.person),
        };
    }
  }
  throw codeIsOver();
}

function codeIsOver(): PosternError {
  return new PosternError(
    'sign_in_refused',
    'This code is over: nobody agreed in time, or its one answer got lost. Start the command again.',
  );
}

const Interval = Type.Integer({ minimum: 1, maximum: 600_000 });

const parseBegun = parser(
  Type.Object({
    deviceCode: Type.String({ minLength: 1 }),
    userCode: Type.String({ pattern: '^[A-Z-]{1,40}$' }),
    verificationUri: Type.String({ pattern: '^https?://[\\x21-\\x7e]+$' }),
    verificationUriComplete: Type.String({ pattern: '^https?://[\\x21-\\x7e]+$' }),
    intervalMs: Interval,
  }),
  "The relay's answer to the sign-in",
  'request_invalid',
);

const parsePolled = parser(
  Type.Union([
    Type.Object({
      state: Type.Union([Type.Literal('pending'), Type.Literal('slow_down')]),
      intervalMs: Interval,
    }),
    Type.Object({ state: Type.Union([Type.Literal('refused'), Type.Literal('expired')]) }),
    Type.Object({
      state: Type.Literal('issued'),
      token: TokenText,
      expiresAt: Type.Number(),
      person: Type.String(),
    }),
  ]),
  "The relay's answer to the sign-in",
  'request_invalid',
);
