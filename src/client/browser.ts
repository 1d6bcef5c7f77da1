import { spawn } from 'node:child_process';

/** Asks the desktop to open an address; false when there is plainly no desktop to ask. */
export function openBrowser(url: string, env = process.env, platform = process.platform): boolean {
  if (platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return false;
  if (env['SSH_CONNECTION']) return false;
  const program = platform === 'darwin' ? 'open' : platform === 'win32' ? 'explorer' : 'xdg-open';
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  // The address was printed as well, so a missing program costs nothing.
  child.on('error', () => {});
  child.unref();
  return true;
}
