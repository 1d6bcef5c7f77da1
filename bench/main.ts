import { describeMachine } from './machine.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { runProgram } from './program.ts';
import { type Report, summarise } from './report.ts';
import { measureRounds } from './rounds.ts';
import type { Setup } from './setup.ts';
import { startNginx } from './setups/nginx.ts';
import { startNodeProxy } from './setups/node-proxy.ts';
import { startPostern } from './setups/postern.ts';
import { startSsh } from './setups/ssh.ts';
import { startTarget, targetAlone } from './setups/target.ts';
import { renderReport } from './table.ts';

await runProgram(USAGE, async (signal) => {
  const options = parseOptions(process.argv.slice(2));
  const report = await bench(options, signal);
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : renderReport(report));
});

async function bench(options: Options, signal: AbortSignal): Promise<Report> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const machine = await describeMachine(options.only);
  if (machine.loadBefore > 0.5)
    say(`The machine is busy (load ${machine.loadBefore.toFixed(2)}): what follows will say little.`);
  await using stack = new AsyncDisposableStack();
  const target = await startTarget(stack, signal);
  const setups: Setup[] = [];
  for (const name of options.only) {
    say(`starting ${name}`);
    if (name === 'target') setups.push(targetAlone(target));
    else if (name === 'nginx') setups.push(await startNginx(stack, target, signal));
    else if (name === 'node') setups.push(await startNodeProxy(stack, target, signal));
    else if (name === 'ssh') setups.push(await startSsh(stack, target, signal));
    else setups.push(await startPostern(stack, target, { name }, signal));
  }
  const results = await measureRounds(setups, target, options, say, signal);
  const versions = setups.reduce((all, setup) => ({ ...all, ...setup.versions }), machine.versions);
  return summarise(results, options, { ...machine, versions });
}
