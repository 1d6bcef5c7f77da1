import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import type { AssertionReader } from './assertion.ts';
import { escapeHtml, page } from './page.ts';
import { type RunningTarget, serveTarget } from './serve.ts';

const MAX_MESSAGE_BYTES = 64 * 1024;

/** A WebSocket that first says who it believes you are, then echoes. Its page shows what the app received. */
export async function startEcho(assertions: AssertionReader): Promise<RunningTarget> {
  const server = createServer((request, response) => {
    void assertions.read(request.headers['x-postern-assertion']).then((person) => {
      const headers = Object.entries(request.headers).map(
        ([name, value]) => `${name}: ${name === 'x-postern-assertion' ? '(a signed JWT, verified)' : String(value)}`,
      );
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(echoPage(person?.email ?? 'nobody', headers));
    });
  });
  const sockets = new WebSocketServer({ server, maxPayload: MAX_MESSAGE_BYTES });
  sockets.on('connection', (socket, request) => {
    socket.on('error', () => {});
    void assertions.read(request.headers['x-postern-assertion']).then((person) => {
      socket.send(`You are ${person?.email ?? 'nobody'}.`);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
  });
  return serveTarget(server);
}

function echoPage(who: string, headers: readonly string[]): string {
  return page(
    'Echo',
    `<header><b>Echo</b><span id="state" role="status">connecting…</span><span class="who">signed in as <b id="who">${escapeHtml(who)}</b></span></header>
<form id="form"><p><label>Say something<input id="text" autocomplete="off" autofocus></label></p><button>Send</button></form>
<ul id="log" aria-live="polite"></ul>
<h2>What this app received</h2><pre>${escapeHtml(headers.join('\n'))}</pre>
<script>
const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
const say = (line) => { const item = document.createElement('li'); item.textContent = line; log.append(item); };
socket.onopen = () => { state.textContent = 'connected'; };
socket.onmessage = ({ data }) => say(data);
socket.onclose = ({ code, reason }) => { state.textContent = 'closed ' + code + (reason ? ': ' + reason : ''); };
form.onsubmit = (event) => { event.preventDefault(); socket.send(text.value); text.value = ''; };
</script>`,
    'pre { overflow: auto; padding: 14px; border: 1px solid var(--line); border-radius: 8px } #state { color: var(--quiet); font-size: 14px }',
  );
}
