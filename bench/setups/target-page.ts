// What an ordinary app does for one request, so that the ratios say something about apps and not only about the way to them.

const ROWS = 160;

interface Order {
  readonly id: number;
  readonly customer: string;
  readonly cents: number;
  readonly tags: readonly string[];
}

const stored = JSON.stringify(
  Array.from({ length: ROWS }, (_, id) => ({
    id,
    customer: `Customer & Sons <${(id * 7919) % 1000}>`,
    cents: (id * 104_729) % 1_000_000,
    tags: ['new', 'paid', 'sent'].slice(id % 3),
  })),
);

/** A list as a template engine makes it: read, sorted, escaped, formatted. Always the same bytes, about 16 kB. */
export function renderPage(): Buffer {
  const orders = (JSON.parse(stored) as Order[]).toSorted((a, b) => b.cents - a.cents);
  const rows = orders.map(
    ({ id, customer, cents, tags }) =>
      `<tr><td>${id}</td><td>${escape(customer)}</td><td>${(cents / 100).toFixed(2)}</td><td>${tags.map(escape).join(', ')}</td></tr>`,
  );
  return Buffer.from(`<!doctype html><title>Orders</title><table>${rows.join('\n')}</table>\n`);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
