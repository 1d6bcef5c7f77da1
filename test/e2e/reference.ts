/** The reference id that a page of Postern shows: the id of the record of what it refused. */
export function referenceOn(text: string): string {
  const id = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/.exec(text)?.[0];
  if (!id) throw new Error(`No reference on this page:\n${text}`);
  return id;
}
