import { realpathSync } from 'node:fs';

/** How to run this program again: Node, what Node was told, and the script. */
export function thisProgram(): string[] {
  return [process.execPath, ...process.execArgv, realpathSync(process.argv[1] ?? '')];
}
