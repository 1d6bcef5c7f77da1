// Sends to each connection for as long as it reads.
import { createServer, type Socket } from 'node:net';
import { listenAndSay } from '../say-port.ts';

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
listenAndSay(server);
