import type { Command } from 'commander';
import type { Finding } from '../agent/check.ts';
import { PosternError } from '../lib/errors.ts';
import { createLog } from '../lib/log.ts';
import { type AgentOptions, addAgentOptions, agentConfigOf, generatedNames } from './agent-options.ts';
import { type OutputOptions, outputOption, print, printList } from './output.ts';
import { stopSignal } from './until-signal.ts';

export function addAgentCommand(program: Command): void {
  const agent = addAgentOptions(program.command('agent'))
    .summary('run the agent beside private services')
    .description(
      'Runs the agent until SIGINT or SIGTERM. It only dials out: to the relay, and to the targets it is told here.',
    )
    .action(async (options: AgentOptions) => {
      const config = agentConfigOf(options);
      const relay = new URL(config.relay);
      for (const { name, target } of generatedNames(options)) {
        const address = `${relay.protocol}//${name}.${relay.host}`;
        process.stderr.write(`${target} is ${name}: ${address}, if the relay lets this agent announce it.\n`);
      }
      const { runAgent } = await import('../agent/run.ts');
      await runAgent(config, { signal: stopSignal(), log: createLog(options.logLevel, 'postern-agent') });
    });

  outputOption(agent.command('check'))
    .description(
      'Tries what the agent needs, step by step: name, TCP, proxy, TLS, clock, credential, WebSocket, each target. Takes the options of: postern agent. Changes nothing.',
    )
    .action(async ({ output }: OutputOptions, command: Command) => {
      const config = agentConfigOf(command.optsWithGlobals<AgentOptions>());
      const { checkAgent } = await import('../agent/check.ts');
      const findings: Finding[] = [];
      for await (const finding of checkAgent(config, stopSignal())) {
        findings.push(finding);
        const { ok, title, text } = finding;
        // Each as it comes: a step may take its time.
        if (output === 'table') print(`${ok ? '✓' : '✗'} ${title}: ${text}\n`);
      }
      if (output !== 'table') printList(findings, output, () => '');
      const wrong = findings.filter(({ ok }) => !ok).length;
      if (wrong > 0) throw new PosternError('relay_unreachable', `${wrong} to put right.`);
      if (output === 'table') print('\nEverything is in place.\n');
    });
}
