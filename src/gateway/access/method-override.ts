/** As frameworks read it behind CGI or WSGI, too: any sign for `-`. In lower case. */
const OVERRIDE = /^x[^a-z0-9](?:http[^a-z0-9]method(?:[^a-z0-9]override)?|method[^a-z0-9]override)$/;

/** A field that makes many frameworks act on another method than the one that rules and log have read. `name` in lower case. */
export function overridesMethod(name: string, value: string, method: string | undefined): boolean {
  return name.startsWith('x') && OVERRIDE.test(name) && value.trim().toUpperCase() !== method;
}
