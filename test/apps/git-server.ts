import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../e2e/free-port.ts';
import { startServer } from './server-program.ts';

export const GIT_SERVER_FILES = ['/usr/sbin/nginx', '/usr/sbin/fcgiwrap', '/usr/lib/git-core/git-http-backend'];

export interface GitServer extends AsyncDisposable {
  readonly target: string;
  /** Of the bare repository `story.git`. */
  git(...args: string[]): string;
}

/** git-http-backend behind Debian's nginx and fcgiwrap. Whoever `Remote-User` names may push; without it git only reads. */
export async function startGitServer(): Promise<GitServer> {
  await using undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-git-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const repository = join(directory, 'story.git');
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' });
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);

  const socket = join(directory, 'fcgi.sock');
  undo.use(await startServer('/usr/sbin/fcgiwrap', ['-s', `unix:${socket}`], socket));
  const port = await freePort();
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(configuration, nginxConfiguration(directory, socket, port));
  undo.use(await startServer('/usr/sbin/nginx', ['-c', configuration, '-e', 'stderr'], port));
  const held = undo.move();
  return { target: `http://127.0.0.1:${port}`, git, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function nginxConfiguration(directory: string, socket: string, port: number): string {
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
pid ${directory}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    location / {
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param GIT_PROJECT_ROOT ${directory};
      fastcgi_param PATH_INFO $uri;
      fastcgi_param REMOTE_USER $http_remote_user;
      fastcgi_pass unix:${socket};
    }
  }
}
`;
}
