import type { Command } from 'commander';
import { PosternError } from '../lib/errors.ts';
import { createLog } from '../lib/log.ts';
import { type AgentOptions, addAgentOptions, agentConfigOf, generatedNames } from './agent-options.ts';
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

  agent
    .command('check')
    .description(
      'Tries what the agent needs, step by step: name, TCP, proxy, TLS, clock, credential, WebSocket, each target. Takes the options of: postern agent. Changes nothing.',
    )
    .action(async (_options: object, command: Command) => {
      const config = agentConfigOf(command.optsWithGlobals<AgentOptions>());
      const { checkAgent } = await import('../agent/check.ts');
      let wrong = 0;
      for await (const { title, ok, text } of checkAgent(config, stopSignal())) {
        process.stdout.write(`${ok ? '✓' : '✗'} ${title}: ${text}\n`);
        if (!ok) wrong += 1;
      }
      if (wrong > 0) throw new PosternError('relay_unreachable', `${wrong} to put right.`);
      process.stdout.write('\nEverything is in place.\n');
    });
}
