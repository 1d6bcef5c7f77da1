import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import { freePort, temporaryDirectory } from '../place.ts';
import type { Setup } from '../setup.ts';
import type { Target } from './target.ts';

export async function startNginx(stack: AsyncDisposableStack, target: Target, signal: AbortSignal): Promise<Setup> {
  const directory = await temporaryDirectory(stack, 'nginx');
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  await writeFile(file, configuration(directory, port, target.port));
  const child = stack.use(
    await startChild('nginx', ['-p', directory, '-e', 'stderr', '-c', file], {
      ready: /start worker process \d+/,
      signal,
    }),
  );
  return { name: 'nginx', port, headers: {}, parts: [{ name: 'nginx', pid: child.pid, own: true }, target.part] };
}

/** Logs nothing but its start; keeps connections on both sides; never spills to disk. */
function configuration(directory: string, port: number, targetPort: number): string {
  return `
daemon off;
worker_processes 2;
pid ${directory}/nginx.pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  keepalive_requests 100000000;
  upstream target {
    server 127.0.0.1:${targetPort};
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://target;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}
