import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { OpenRequest } from '../access/open-request.ts';
import { terminationText } from '../answer/terminated.ts';
import { FAREWELL_MS } from '../limits.ts';
import { closeFrame, FrameBoundary } from './frame-boundary.ts';

/** After the target's 101: takes the client's socket over and copies bytes both ways until either side ends. `early` came with the 101. */
export function joinWebSocket(access: OpenRequest, headers: string[], target: Duplex, early: Buffer | undefined): void {
  const { exchange, door } = access;
  const { upgrade, res } = exchange;
  if (upgrade === undefined) {
    target.destroy();
    return;
  }
  const client = upgrade.socket;
  res.detachSocket(client);
  client.setTimeout(0);
  client.setKeepAlive(true, 60_000);
  client.setNoDelay(true);
  const boundary = new FrameBoundary();
  const { halfClosedMs } = door.bounds;

  let first: 'client_closed' | 'target_closed' | undefined;
  client.on('end', () => {
    first ??= 'client_closed';
  });
  target.on('end', () => {
    first ??= 'target_closed';
  });
  client.on('close', () => {
    access.finish(first ?? 'client_closed');
    target.destroy();
  });
  target.on('error', () => target.destroy());
  target.on('close', () => {
    access.finish(first ?? 'target_closed');
    access.stop = undefined;
    door.pool.giveBack(access.stream, false);
    endSoon(client, halfClosedMs);
  });
  access.stop = () => {
    access.finish('terminated');
    if (access.terminated !== undefined && boundary.isBetweenFrames) {
      const status = access.terminated === 'relay_stopping' ? 1001 : 1008;
      client.write(closeFrame(status, terminationText(access.terminated)));
    }
    endSoon(client, FAREWELL_MS);
    target.destroy();
  };

  client.write(headOf101(headers), 'latin1');
  copy(client, target, halfClosedMs, (chunk) => {
    access.bytesUp += chunk.length;
  });
  const seeDown = (chunk: Buffer) => {
    access.bytesDown += chunk.length;
    boundary.see(chunk);
  };
  copy(target, client, halfClosedMs, seeDown);
  if (early !== undefined) {
    seeDown(early);
    client.write(early);
  }
  if (upgrade.head.length > 0) {
    access.bytesUp += upgrade.head.length;
    target.write(upgrade.head);
  }
}

function copy(from: Duplex | Socket, to: Duplex | Socket, halfClosedMs: number, see: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    see(chunk);
    if (!to.destroyed && to.writable && !to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => {
    to.end();
    const cut = setTimeout(() => {
      from.destroy();
      to.destroy();
    }, halfClosedMs);
    cut.unref();
    to.once('close', () => clearTimeout(cut));
  });
}

/** With what it has still to read, if it reads that within the time. */
function endSoon(client: Socket, limitMs: number): void {
  if (client.destroyed) return;
  client.destroySoon();
  const cut = setTimeout(() => client.destroy(), limitMs);
  cut.unref();
  client.once('close', () => clearTimeout(cut));
}

function headOf101(headers: string[]): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${head}\r\n`;
}
