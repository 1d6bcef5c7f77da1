import { access, chmod, constants, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Type } from 'typebox';
import type { AdminLinks } from '../identity/sign-in/admin-links.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { isListenedAt, openSocketPath } from '../lib/socket-path.ts';

export const ADMIN_SOCKET = 'admin.sock';

const MAX_BODY_BYTES = 1_024;
const REQUEST_MS = 5_000;

const parseBody = parser(
  Type.Object({ user: Type.String({ pattern: '^[^\\p{Cc}]{1,64}$' }) }, { additionalProperties: false }),
  'The request',
  'request_invalid',
);

/**
 * Throws `config_invalid` when a relay runs on `dataDir`. Asked before anything is opened: whoever opens the audit log
 * takes it from the relay that writes it, which then takes no more requests.
 */
export async function refuseSecondRelay(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new PosternError(
      'config_invalid',
      `This user cannot write to the data directory: ${messageOf(error)}. Give it to the user that runs the relay.`,
      { cause: error },
    );
  }
  await using socket = await openSocketPath(dataDir, ADMIN_SOCKET);
  if (await isListenedAt(socket.path))
    throw new PosternError(
      'config_invalid',
      `A relay already runs on the data directory ${dataDir}. Stop that one first, or give this one its own (and a relay.id).`,
    );
}

/** Listens in `dataDir`, where only the relay's own user gets to (0700, and 0600 on the socket): being able to connect is the permission. */
export async function openAdminSocket(dataDir: string, adminLinks: AdminLinks): Promise<AsyncDisposable> {
  await refuseSecondRelay(dataDir);
  const socket = await openSocketPath(dataDir, ADMIN_SOCKET);
  await rm(socket.path, { force: true });
  const server = createServer({ headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS }, (req, res) => {
    makeLink(req, adminLinks).then(
      (link) => answer(res, 200, link),
      (error: unknown) => answer(res, 500, { message: messageOf(error) }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Between listening and chmod nobody else may connect either.
    const before = process.umask(0o177);
    server.listen(socket.path, resolve);
    process.umask(before);
  });
  await chmod(socket.path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(socket.path, { force: true });
      await socket[Symbol.asyncDispose]();
    },
  };
}

async function makeLink(req: IncomingMessage, adminLinks: AdminLinks): Promise<object> {
  if (req.method !== 'POST' || req.url !== '/admin-link')
    throw new PosternError('not_found', 'Only POST /admin-link is known here.');
  let body = '';
  for await (const chunk of req.setEncoding('utf8') as AsyncIterable<string>) {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) throw new PosternError('request_invalid', 'The request is too long.');
  }
  return adminLinks.create(parseBody(JSON.parse(body)).user);
}

function answer(res: ServerResponse, status: number, body: object): void {
  if (res.destroyed) return;
  res.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
  res.end(JSON.stringify(body));
}
