import { once } from 'node:events';
import { createServer } from 'node:net';
import type { RelayConfig } from '../../config/relay-config.ts';
import type { HostPort } from '../../config/values.ts';
import { type Finding, right, wrong } from './finding.ts';

/** Each port that the relay will listen on, of those for leases the first, by listening on it for a moment. */
export async function checkPorts({ relay, leases }: RelayConfig): Promise<Finding[]> {
  const wanted: readonly (readonly [string, HostPort | undefined])[] = [
    ['relay.listen', relay.listen],
    ['relay.tls.redirectFrom', relay.tls?.redirectFrom],
    ['relay.metrics', relay.metrics],
    ['leases', leases && { host: leases.listen, port: leases.ports[0] }],
  ];
  const findings: Finding[] = [];
  for (const [setting, address] of wanted) if (address) findings.push(await checkPort(setting, address));
  return findings;
}

async function checkPort(setting: string, { host, port }: HostPort): Promise<Finding> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return right(`${host}:${port} is free`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE')
      return wrong(`${host}:${port} is taken`, `If that is not this relay, running already: change ${setting}.`);
    if (code === 'EACCES')
      return wrong(
        `this user may not listen on ${host}:${port}`,
        `Allow it (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or change ${setting}.`,
      );
    return wrong(
      `nobody can listen on ${host}:${port} here`,
      `${host} is no address of this machine: change ${setting}.`,
    );
  }
}
