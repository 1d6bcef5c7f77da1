import type { Command } from 'commander';
import { createLog, type LogLevel } from '../lib/log.ts';
import { stopSignal } from './until-signal.ts';

export function addAgentCommand(program: Command): void {
  program
    .command('agent')
    .summary('run the agent beside private services')
    .description(
      'Runs the agent until SIGINT or SIGTERM. It only dials out: to the relay, and to the targets of its file.',
    )
    .requiredOption('--config <file>', 'agent.yaml')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: { config: string; logLevel: LogLevel }) => {
      const signal = stopSignal();
      const [{ loadAgentConfig }, { runAgent }] = await Promise.all([
        import('../config/agent-config.ts'),
        import('../agent/run.ts'),
      ]);
      await runAgent(loadAgentConfig(options.config), { signal, log: createLog(options.logLevel, 'postern-agent') });
    });
}
