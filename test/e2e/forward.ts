// Copies connections from <near>:<port> to <far>:<port>. One runs inside a network namespace, where the loopback is
// another one and the relay's *.localhost name would lead nowhere; one outside, since the relay listens on the loopback.
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';

const [port = '', near = '', far = ''] = process.argv.slice(2);

createServer((from) => {
  const to = connect({ host: far, port: Number(port) });
  pipeline(from, to, () => from.destroy());
  pipeline(to, from, () => to.destroy());
}).listen(Number(port), near, () => process.stdout.write('ready\n'));
