/** Also what a file is called, on file systems that tell no case apart. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export const PROFILE_NAME_RULE = 'lower-case letters, digits, ".", "_" and "-", at most 64';

export function isProfileName(text: string): boolean {
  return NAME.test(text);
}

/** What a profile of this relay (an origin) is called when nobody says: its host, and the port where there is one. */
export function defaultProfileName(relay: string): string {
  const { host } = new URL(relay);
  return (
    host
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 64) || 'relay'
  );
}
