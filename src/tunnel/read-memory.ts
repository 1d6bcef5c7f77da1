import { connect, type NetConnectOpts, type OnReadOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What a busy socket reads into. Large reads are what makes a fast stream fast. */
const SLAB_BYTES = 256 * 1024;
/** What all quiet sockets read into: nobody keeps it, so a quiet socket costs no memory. */
const SHARED_BYTES = 64 * 1024;
/** Slabs that wait to be used again. */
const MAX_FREE_SLABS = 32;

const shared = Buffer.allocUnsafeSlow(SHARED_BYTES);
const free: Buffer[] = [];
/** Bytes of a slab that were passed on and not released yet. */
const lent = new WeakMap<ArrayBufferLike, { readonly slab: Buffer; bytes: number }>();

/**
 * As `net.connect`, for a socket whose reads allocate next to nothing: on a fast stream, most of what Node spends goes to
 * buffers for its reads. What it reads may be kept for ever, as with any socket; who is done with it calls `release`, and
 * the memory is used for another read, of any socket.
 */
export function connectReusing(options: NetConnectOpts): Socket {
  const socket: Socket = connect({ ...options, onread: reusingReads((chunk) => socket.push(chunk)) });
  return socket;
}

/**
 * The same for a connection that a server accepted; use what it returns from here on. Node has no option for how such a
 * socket reads, so another socket takes its handle. Where there is no plain one, as with TLS, the connection stays as it is.
 */
export function reuseReadsOf(accepted: Duplex): Duplex {
  const handle = handleOf(accepted);
  if (!handle || Object.getPrototypeOf(accepted) !== Socket.prototype || accepted.destroyed) return accepted;
  handle.reading = false;
  handle.readStop();
  const options: object = { handle, allowHalfOpen: true, onread: reusingReads((chunk) => socket.push(chunk)) };
  const early = accepted.read() as Buffer | null;
  Object.assign(accepted, { _handle: null });
  const socket: Socket = new Socket(options);
  if (early) socket.unshift(early);
  // Whoever holds the one can still end the other, and learns of its end.
  accepted.on('close', () => socket.destroy());
  socket.on('close', () => accepted.destroy());
  return socket;
}

/** What the kernel knows the connection by: a part of Node that its documentation does not name. */
function handleOf(connection: Duplex): { reading: boolean; readStop(): void } | undefined {
  const { _handle: handle } = connection as unknown as { _handle?: unknown };
  if (typeof handle !== 'object' || handle === null || !('readStop' in handle)) return undefined;
  return handle as { reading: boolean; readStop(): void };
}

function reusingReads(push: (chunk: Buffer) => boolean): OnReadOpts {
  let next: Buffer = shared;
  return {
    buffer: () => next,
    callback: (bytes, into) => {
      const slab = into === shared ? undefined : (into as Buffer);
      const read = (into as Buffer).subarray(0, bytes);
      // For the larger part of it only: whoever keeps some bytes keeps the whole slab.
      const lend = slab !== undefined && bytes >= SLAB_BYTES / 2;
      if (lend) lent.set(slab.buffer, { slab, bytes });
      else if (slab) keep(slab);
      next = bytes >= SHARED_BYTES ? (free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)) : shared;
      return push(lend ? read : Buffer.from(read));
    },
  };
}

/**
 * Says that nobody will look at `bytes` bytes of the memory of this chunk again; the network, above all, has taken them.
 * Once for each byte, at most: never means that the memory is not used again. Of other memory it says nothing.
 */
export function release(chunk: Buffer, bytes = chunk.length): void {
  const loan = lent.get(chunk.buffer);
  if (!loan) return;
  loan.bytes -= bytes;
  if (loan.bytes > 0) return;
  lent.delete(chunk.buffer);
  if (loan.bytes === 0) keep(loan.slab);
}

function keep(slab: Buffer): void {
  if (free.length < MAX_FREE_SLABS) free.push(slab);
}
