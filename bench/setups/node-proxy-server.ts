// The least that a reverse proxy in Node can be: no names, no rules, no log, no tunnel.
import { Agent, createServer, request } from 'node:http';
import { listenAndSay } from '../say-port.ts';

const [targetPort] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

const server = createServer((incoming, response) => {
  const { url, method, rawHeaders } = incoming;
  const asked = request({ host: '127.0.0.1', port: targetPort, path: url, method, headers: rawHeaders, agent });
  asked.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  asked.on('error', () => response.destroy());
  incoming.pipe(asked);
});
server.keepAliveTimeout = 120_000;
server.maxRequestsPerSocket = 0;
listenAndSay(server);
