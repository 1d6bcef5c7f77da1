/** Longest return path that is kept; beyond it people arrive at the start page. Eight of them fit in a Cookie header. */
export const MAX_RETURN_PATH_BYTES = 1024;

/**
 * A path on the same host, or `/`: one leading slash, visible ASCII, nothing that any browser reads as the start of
 * another origin (`//host`, `/\host`, with tabs or newlines in between).
 */
export function safeReturnPath(path: string | undefined): string {
  if (path === undefined || path.length > MAX_RETURN_PATH_BYTES) return '/';
  if (!/^\/[\x21-\x7e]*$/.test(path) || /^\/[/\\]/.test(path) || path.includes('\\')) return '/';
  try {
    const url = new URL(path, ORIGIN);
    return url.origin === ORIGIN && !url.pathname.startsWith('//') ? path : '/';
  } catch {
    return '/';
  }
}

const ORIGIN = 'https://return.invalid';
