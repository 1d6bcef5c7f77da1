import { type Command, InvalidArgumentError } from 'commander';
import type { LocalPlace } from '../client/connect/listen.ts';
import type { AtRelay } from '../client/profiles.ts';
import type { ProxyPort } from '../client/proxy/port.ts';
import { Route } from '../client/proxy/route.ts';
import { type ProxyKinds, serveProxy } from '../client/proxy/serve-proxy.ts';
import { tunnelOfPerson } from '../client/tunnel/of-person.ts';
import { messageOf } from '../lib/errors.ts';
import { printable } from '../lib/printable.ts';
import { aborted } from '../lib/wait.ts';
import { relayOptions } from './at-relay.ts';
import { parseListenOption, warnIfOpen } from './connect.ts';
import { signInGate } from './sign-in-again.ts';
import { stopSignal } from './until-signal.ts';

interface ProxyOptions extends AtRelay {
  socks?: LocalPlace;
  http?: LocalPlace;
}

const EXAMPLES = `
Examples:
  postern proxy --socks 1080
  curl --socks5-hostname 127.0.0.1:1080 http://build01.internal:8080/
  postern proxy --socks 1080 --http 1080     (both on one port)`;

export function addProxyCommand(program: Command): void {
  const command = relayOptions(program.command('proxy'))
    .summary('a SOCKS or HTTP proxy into networks behind the relay')
    .description(
      'A proxy on this machine, until Ctrl-C. Each connection is decided by name, address and port, and recorded as yours. Names are resolved at the other end.',
    )
    .option('--socks <where>', 'SOCKS5 at a port of this machine, such as 1080, or at an address and a port', place)
    .option('--http <where>', 'the same for HTTP CONNECT; may be the same port', place)
    .addHelpText('after', EXAMPLES)
    .action(async ({ socks, http, ...at }: ProxyOptions) => {
      if (!socks && !http) return command.error('error: say which proxy: --socks 1080, --http 8080, or both');
      const places = placesFor(socks, http);
      const person = tunnelOfPerson(at);
      using tunnel = person.tunnel;
      const signal = stopSignal();
      const opener = signInGate(person.profile, signal).guard(tunnel);
      const route = new Route(person.profile.relay, opener);
      const port: ProxyPort = {
        open: (host, to, gone) => route.open(host, to, AbortSignal.any([signal, gone])),
        failed: (host, error) => process.stderr.write(`${printable(`${host}: ${messageOf(error)}`)}\n`),
      };
      await using listeners = new AsyncDisposableStack();
      for (const [where, kinds] of places) {
        const { address } = listeners.use(await serveProxy(where, kinds, port));
        warnIfOpen(where, address);
        const names = [...(kinds.socks ? ['SOCKS5'] : []), ...(kinds.http ? ['HTTP CONNECT'] : [])].join(' and ');
        process.stderr.write(`${names} at ${address}. Ctrl-C ends it.\n`);
      }
      await aborted(signal);
    });
}

function placesFor(socks: LocalPlace | undefined, http: LocalPlace | undefined): [LocalPlace, ProxyKinds][] {
  if (socks && http && JSON.stringify(socks) === JSON.stringify(http)) return [[socks, { socks: true, http: true }]];
  return [
    ...(socks ? [[socks, { socks: true, http: false }] satisfies [LocalPlace, ProxyKinds]] : []),
    ...(http ? [[http, { socks: false, http: true }] satisfies [LocalPlace, ProxyKinds]] : []),
  ];
}

function place(text: string): LocalPlace {
  const at = parseListenOption(text);
  if (at.kind === 'stdio') throw new InvalidArgumentError('A proxy needs a port or a path.');
  return at;
}
