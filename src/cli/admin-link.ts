import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Type } from 'typebox';
import { messageOf, PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { openSocketPath } from '../lib/socket-path.ts';
import { ADMIN_SOCKET } from '../relay/admin-socket.ts';

const ANSWER_MS = 10_000;

const parseLink = parser(
  Type.Object({ url: Type.String(), expiresAt: Type.Integer() }),
  'The link',
  'relay_unreachable',
);
const parseFailure = parser(Type.Object({ message: Type.String() }), 'The answer', 'relay_unreachable');

/** Asks the relay that runs on this data directory. Rejects with `relay_unreachable`. */
export async function askAdminLink(dataDir: string, user: string): Promise<{ url: string; expiresAt: number }> {
  const body = JSON.stringify({ user });
  let status: number;
  let answer: unknown;
  try {
    await using socket = await openSocketPath(dataDir, ADMIN_SOCKET);
    const req = request({
      socketPath: socket.path,
      path: '/admin-link',
      method: 'POST',
      headers: { 'Content-Length': Buffer.byteLength(body) },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    req.end(body);
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of res.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
    status = res.statusCode ?? 0;
    answer = JSON.parse(text);
  } catch (cause) {
    throw new PosternError(
      'relay_unreachable',
      `No relay answers in ${dataDir} (${messageOf(cause)}). Start it, and run this on its machine as its own user.`,
      { cause },
    );
  }
  if (status !== 200) throw new PosternError('relay_unreachable', parseFailure(answer).message);
  return parseLink(answer);
}
