/** Longest return path that is kept: eight of them, encrypted, fit in what servers take as headers. */
export const MAX_RETURN_PATH_BYTES = 640;

/**
 * A path on the same host, or `/`: one leading slash, visible ASCII, nothing that any browser reads as the start of
 * another origin (`//host`, `/\host`, with tabs or newlines in between). A path that is too long loses its query.
 */
export function safeReturnPath(path: string | undefined): string {
  if (path === undefined) return '/';
  if (path.length > MAX_RETURN_PATH_BYTES) {
    const mark = path.indexOf('?');
    return mark > 0 && mark <= MAX_RETURN_PATH_BYTES ? safeReturnPath(path.slice(0, mark)) : '/';
  }
  if (!/^\/[\x21-\x7e]*$/.test(path) || /^\/[/\\]/.test(path) || path.includes('\\')) return '/';
  try {
    const url = new URL(path, ORIGIN);
    return url.origin === ORIGIN && !url.pathname.startsWith('//') ? path : '/';
  } catch {
    return '/';
  }
}

const ORIGIN = 'https://return.invalid';
