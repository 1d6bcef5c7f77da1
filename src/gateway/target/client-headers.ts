import { answerFieldKind } from './answer-field-kind.ts';

/**
 * What the client gets of a target's fields, as a flat name-value list: without those of the hop, cookies under our
 * names, and the wish to clear cookies (it would sign the person out of every host beneath ours).
 */
export function clientHeaders(raw: readonly string[], isPosternCookie: (name: string) => boolean): string[] {
  const headers: string[] = [];
  let listed: string[] | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    switch (answerFieldKind(name)) {
      case 'hop':
        break;
      case 'connection':
        if (!/^(?:keep-alive|close)$/i.test(value)) {
          listed = [...(listed ?? []), ...value.split(',').map((token) => token.trim().toLowerCase())];
        }
        break;
      case 'set-cookie':
        if (!isPosternCookie(cookieName(value))) headers.push(name, value);
        break;
      case 'clear-site-data': {
        const kept = withoutCookieClearing(value);
        if (kept !== '') headers.push(name, kept);
        break;
      }
      case 'pass':
        headers.push(name, value);
        break;
    }
  }
  if (listed === undefined) return headers;
  const passed: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (name.toLowerCase() === 'content-length' || !listed.includes(name.toLowerCase())) {
      passed.push(name, headers[at + 1] ?? '');
    }
  }
  return passed;
}

/** A cookie without a name is sent back as its value alone, and then reads as a name. */
function cookieName(setCookie: string): string {
  return setCookie
    .replace(/^[\s=]+/, '')
    .replace(/[=;].*$/s, '')
    .trim();
}

function withoutCookieClearing(value: string): string {
  const wishes = value.split(',').map((wish) => wish.trim());
  if (wishes.includes('"*"')) return '"cache", "storage"';
  return wishes.filter((wish) => wish !== '' && !/^"?cookies"?$/i.test(wish)).join(', ');
}
