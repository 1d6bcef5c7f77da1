const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?$/;
const AGE = /^(\d{1,6})([smhdw])$/;
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A day (UTC), an ISO 8601 time (UTC unless it says otherwise) or an age, as epoch ms; of a day its start and its end. */
export function parseMoment(text: string, nowMs: number): { readonly start: number; readonly end: number } | undefined {
  const [, count, unit] = AGE.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    const at = nowMs - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
    return { start: at, end: at };
  }
  if (DATE.test(text)) {
    const start = Date.parse(`${text}T00:00Z`);
    return isReal(text, start) ? { start, end: start + UNIT_MS.d } : undefined;
  }
  if (!TIME.test(text)) return undefined;
  const at = Date.parse(/(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(at) ? undefined : { start: at, end: at };
}

/** Date.parse takes 2026-02-31 for the 3rd of March. */
function isReal(date: string, start: number): boolean {
  return !Number.isNaN(start) && new Date(start).toISOString().startsWith(date);
}
