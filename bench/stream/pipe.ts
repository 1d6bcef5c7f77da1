// A bare Node pipe: each connection is led to the port that it is given.
import { connect, createServer } from 'node:net';
import { listenAndSay } from '../say-port.ts';

const server = createServer({ noDelay: true }, (socket) => {
  const onwards = connect({ port: Number(process.argv[2]), host: '127.0.0.1', noDelay: true });
  socket.on('error', () => onwards.destroy()).on('close', () => onwards.destroy());
  onwards.on('error', () => socket.destroy());
  socket.pipe(onwards);
  onwards.pipe(socket);
});
listenAndSay(server);
