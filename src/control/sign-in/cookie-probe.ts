import { dropCookie, flowIdsOf, readCookie, SESSION_COOKIE, setCookie } from '../../identity/sign-in/cookies.ts';
import type { Redirect } from '../../identity/sign-in/hand-off.ts';

const PROBE_COOKIE = '__Host-postern-probe';
/** One redirect takes no longer. An address that is opened in another browser later begins anew there. */
const PROBE_LIFE_SECONDS = 10;

/**
 * Whether a browser keeps Secure cookies on http://localhost: some do not, and there a sign-in would fail after the
 * password. One redirect to the same address tells before. `probedAt` is what that redirect added (epoch ms).
 */
export function cookiesKept(
  cookieHeader: string | undefined,
  probedAt: string | undefined,
  nowMs: number,
): 'kept' | 'dropped' | 'unknown' {
  const names = [PROBE_COOKIE, SESSION_COOKIE];
  if (names.some((name) => readCookie(cookieHeader, name)) || flowIdsOf(cookieHeader).length > 0) return 'kept';
  const ageMs = nowMs - Number(probedAt ?? Number.NaN);
  return ageMs >= 0 && ageMs <= PROBE_LIFE_SECONDS * 1000 ? 'dropped' : 'unknown';
}

export function probeCookies(returnPath: string, nowMs: number): Redirect {
  const query = new URLSearchParams({ return: returnPath, probed: String(nowMs) });
  return {
    location: `/sign-in?${query.toString()}`,
    setCookies: [setCookie(PROBE_COOKIE, 'kept', PROBE_LIFE_SECONDS)],
  };
}

/** The probe's cookie has told what it was for. */
export function endProbe({ location, setCookies }: Redirect): Redirect {
  return { location, setCookies: [...setCookies, dropCookie(PROBE_COOKIE)] };
}
