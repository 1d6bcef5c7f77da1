// Copies connections from 127.0.0.1:<port> to <host>:<port>. Runs inside a network namespace, where the loopback is
// another one and the relay's *.localhost name would lead nowhere.
import { connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';

const [port = '', host = ''] = process.argv.slice(2);

createServer((near) => {
  const far = connect({ host, port: Number(port) });
  pipeline(near, far, () => near.destroy());
  pipeline(far, near, () => far.destroy());
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
