// Sends to each connection for as long as it reads.
import { createServer, type Socket } from 'node:net';
import { PORT_READY } from './ready.ts';

const CHUNK = Buffer.alloc(256 * 1024, 7);

const server = createServer({ noDelay: true }, (socket: Socket) => {
  const send = () => {
    while (!socket.destroyed && socket.write(CHUNK));
  };
  // Whoever has enough just closes.
  socket.on('error', () => {});
  socket.on('drain', send);
  socket.resume();
  send();
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') process.stdout.write(`${PORT_READY}${address.port}\n`);
});
