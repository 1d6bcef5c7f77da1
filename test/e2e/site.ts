// A web server at <address>:<port> that answers with its address and how many requests it has had.
import { createServer } from 'node:http';

const [address = '', port = ''] = process.argv.slice(2);
let requests = 0;

createServer((_req, res) => {
  requests += 1;
  res.end(`${address} ${requests}\n`);
}).listen(Number(port), address, () => process.stdout.write('ready\n'));
