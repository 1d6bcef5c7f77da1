import type { Duplex } from 'node:stream';
import { PAGE_SECURITY_HEADERS, renderPage } from '../answer/page.ts';
import { LINGER_MS, MAX_HEADER_BYTES } from '../limits.ts';

/** Where Node keeps the answer under way on a connection: nothing may be said into its middle. */
type Connection = Duplex & { readonly _httpMessage?: { readonly headersSent: boolean } | null };

const answered = new WeakSet<Duplex>();

/**
 * Answers what cannot be parsed as a request. An app can set so many cookies for the whole domain that every host of it
 * gets too large a header section, for as long as the browser keeps them: a person who meets that is told what to do.
 * Nothing is cleared for them, since the answer is the same on every host.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Connection): void {
  // What still arrives is not parsed any more; it comes here, and is discarded.
  if (answered.has(socket)) return;
  answered.add(socket);
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  socket.end(answerTo(error.code));
  // Closed at once with bytes unread, the connection would be reset and the answer lost.
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}

function answerTo(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return TOO_LARGE;
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return head('413 Payload Too Large');
  return head(code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request');
}

function head(status: string, fields: readonly string[] = [], body = ''): string {
  let text = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return `${text}\r\n${body}`;
}

const TOO_LARGE = head(
  '431 Request Header Fields Too Large',
  ['Cache-Control', 'no-store', 'Content-Type', 'text/html; charset=utf-8', ...PAGE_SECURITY_HEADERS],
  renderPage({
    title: 'Your browser sent too many cookies',
    text: `What it sends before every request is larger than ${MAX_HEADER_BYTES / 1024} kB, so nothing was read. Most likely an app of this domain has set too many cookies. Delete the cookies of this site: open the site information beside the address, choose “Cookies and site data”, and delete them; then load the page again and sign in. If it comes back, tell whoever runs the app that you used before.`,
    contact: undefined,
    link: undefined,
    reference: undefined,
  }),
);
