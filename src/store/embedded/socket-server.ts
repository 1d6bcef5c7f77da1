import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** Takes messages of PostgreSQL's protocol and hands on what the database answers to them. */
export type Execute = (messages: Uint8Array, answer: (bytes: Uint8Array) => void) => Promise<void>;

/** More than the one in use: a broken connection may still be going away when its replacement comes. */
const MAX_CONNECTIONS = 4;
/** Larger than any statement of ours; a length beyond it is not one. */
const MAX_MESSAGE_BYTES = 1 << 30;
/** Codes in place of a protocol version (PostgreSQL, "Message Formats"). */
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
/** Sync, Query, Flush, CopyDone, CopyFail, FunctionCall: the client waits for an answer to all up to here. */
const END_OF_GROUP = new Set(Buffer.from('SQHcfF'));
const TERMINATE = 'X'.charCodeAt(0);

/**
 * Serves the database behind `execute` on a Unix socket. The messages of one statement (Parse, Bind, Describe, Execute,
 * Sync) go to it in one call. A failure of `execute` itself, which is no error of SQL, is passed to `failed`.
 */
export async function serveSocket(
  path: string,
  execute: Execute,
  failed: (error: unknown) => void,
): Promise<AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    void serveConnection(socket, (messages, answer) => execute(messages, answer).catch(failed));
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(path);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function serveConnection(socket: Socket, execute: Execute): Promise<void> {
  const answer = (bytes: Uint8Array): void => {
    // The database uses the memory of these bytes again.
    if (socket.writable && bytes.length > 0) socket.write(Buffer.from(bytes));
  };
  let started = false;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let wanted = 0;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes < wanted) continue;
      let bytes = waiting.length === 1 ? chunk : Buffer.concat(waiting);
      for (let group = next(bytes, started); ; group = next(bytes, started)) {
        wanted = group.wanted;
        if (group.kind === 'incomplete') break;
        const messages = bytes.subarray(0, group.wanted);
        bytes = bytes.subarray(group.wanted);
        if (group.kind === 'end') return;
        if (group.kind === 'refuse') socket.write('N');
        else {
          started = true;
          await execute(messages, answer);
        }
      }
      waiting = bytes.length > 0 ? [bytes] : [];
      waitingBytes = bytes.length;
    }
  } catch {
    // A client that goes away, or that breaks the protocol, is no failure of the database.
  } finally {
    socket.destroy();
  }
}

interface Group {
  /** `refuse`: encryption was asked for. `end`: the client leaves. */
  readonly kind: 'execute' | 'refuse' | 'end' | 'incomplete';
  /** Bytes of the group; when incomplete, how many are needed at least. */
  readonly wanted: number;
}

/** The messages at the beginning of `bytes` that the client waits for an answer to. */
function next(bytes: Buffer, started: boolean): Group {
  if (!started) {
    if (bytes.length < 8) return { kind: 'incomplete', wanted: 8 };
    const length = checked(bytes.readInt32BE(0));
    if (bytes.length < length) return { kind: 'incomplete', wanted: length };
    const code = bytes.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'refuse', wanted: length };
    return { kind: code === CANCEL_REQUEST ? 'end' : 'execute', wanted: length };
  }
  for (let at = 0; ; ) {
    if (bytes.length < at + 5) return { kind: 'incomplete', wanted: at + 5 };
    const type = bytes[at] ?? 0;
    const end = at + 1 + checked(bytes.readInt32BE(at + 1));
    if (bytes.length < end) return { kind: 'incomplete', wanted: end };
    if (type === TERMINATE) return { kind: 'end', wanted: end };
    if (END_OF_GROUP.has(type)) return { kind: 'execute', wanted: end };
    at = end;
  }
}

function checked(length: number): number {
  if (length < 4 || length > MAX_MESSAGE_BYTES) throw new RangeError(`A message has no ${length} bytes.`);
  return length;
}
