import { createServer, type ServerResponse } from 'node:http';
import { loadavg } from 'node:os';
import type { AssertionReader } from './assertion.ts';
import { escapeHtml, page } from './page.ts';
import { type RunningTarget, serveTarget } from './serve.ts';

const INTERVAL_MS = 1000;

/** A live dashboard: numbers of this machine once a second, as server-sent events. */
export async function startMetrics(assertions: AssertionReader): Promise<RunningTarget> {
  const viewers = new Set<ServerResponse>();
  const timer = setInterval(() => {
    const line = `data: ${JSON.stringify(sample(viewers.size))}\n\n`;
    for (const viewer of viewers) viewer.write(line);
  }, INTERVAL_MS);

  const server = createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(`data: ${JSON.stringify(sample(viewers.size + 1))}\n\n`);
      viewers.add(response);
      response.on('close', () => viewers.delete(response));
      return;
    }
    void assertions.read(request.headers['x-postern-assertion']).then((person) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(dashboard(person?.email ?? 'nobody'));
    });
  });
  const target = await serveTarget(server);
  return {
    url: target.url,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await target[Symbol.asyncDispose]();
    },
  };
}

function sample(viewers: number) {
  return {
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    memoryMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
    upSeconds: Math.round(process.uptime()),
    viewers,
  };
}

function dashboard(who: string): string {
  return page(
    'Metrics',
    `<header><b>Metrics</b><span id="state" role="status">connecting…</span><span class="who">signed in as <b id="who">${escapeHtml(who)}</b></span></header>
<div class="cards">
${card('load', 'Load of this machine')}${card('memoryMiB', 'Memory of the trial, MiB')}${card('upSeconds', 'Up, seconds')}${card('viewers', 'Open dashboards')}
</div>
<svg viewBox="0 0 120 40" preserveAspectRatio="none" role="img" aria-label="Load over the last two minutes"><polyline fill="none" stroke="currentColor" vector-effect="non-scaling-stroke" stroke-width="2"></polyline></svg>
<script>
const history = [];
const events = new EventSource('/events');
events.onopen = () => { state.textContent = 'live'; };
events.onerror = () => { state.textContent = 'disconnected'; };
events.onmessage = ({ data }) => {
  const values = JSON.parse(data);
  for (const [name, value] of Object.entries(values)) document.getElementById(name).textContent = value;
  history.push(values.load);
  if (history.length > 120) history.shift();
  const top = Math.max(1, ...history);
  document.querySelector('polyline').setAttribute('points', history.map((y, x) => x + ',' + (39 - (y / top) * 38)).join(' '));
};
</script>`,
    `.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 14px }
.card { padding: 16px; border: 1px solid var(--line); border-radius: 10px } .card b { display: block; font-size: 30px; font-variant-numeric: tabular-nums } .card span { color: var(--quiet); font-size: 14px }
svg { width: 100%; height: 140px; margin-top: 20px; border: 1px solid var(--line); border-radius: 10px; color: var(--accent) } #state { color: var(--quiet); font-size: 14px }`,
  );
}

function card(id: string, label: string): string {
  return `<div class="card"><b id="${id}">–</b><span>${label}</span></div>`;
}
