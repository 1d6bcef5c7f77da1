import type { Command } from 'commander';
import { createLog, type LogLevel } from '../lib/log.ts';
import { aborted, stopSignal } from './until-signal.ts';

export function addRelayCommand(program: Command): void {
  program
    .command('relay')
    .summary('run the relay that people and agents connect to')
    .description('Runs the relay until SIGINT or SIGTERM.')
    .requiredOption('--config <file>', 'postern.yaml')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: { config: string; logLevel: LogLevel }) => {
      const signal = stopSignal();
      const [{ loadRelayConfig }, { startRelay }] = await Promise.all([
        import('../config/relay-config.ts'),
        import('../relay/start.ts'),
      ]);
      const log = createLog(options.logLevel, 'postern-relay');
      const relay = await startRelay(loadRelayConfig(options.config), { log, signal });
      await aborted(signal);
      await relay.close();
    });
}
