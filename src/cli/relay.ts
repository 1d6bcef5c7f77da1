import type { Command } from 'commander';
import { PosternError } from '../lib/errors.ts';
import { createLog, type LogLevel } from '../lib/log.ts';
import { aborted } from '../lib/wait.ts';
import { growYoungGeneration } from '../lib/young-generation.ts';
import { type OutputOptions, outputOption, printList } from './output.ts';
import { stopSignal } from './until-signal.ts';

/** After the drain: writing the last records, closing the database. */
const STOP_MS = 10_000;

export function addRelayCommand(program: Command): void {
  const relay = program
    .command('relay')
    .summary('run the relay that people and agents connect to')
    .description('Runs the relay until SIGINT or SIGTERM.')
    .requiredOption('--config <file>', 'postern.yaml')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action(async (options: { config: string; logLevel: LogLevel }) => {
      const [{ loadRelayConfig }, { startRelay }] = await Promise.all([
        import('../config/relay-config.ts'),
        import('../relay/start.ts'),
      ]);
      const config = loadRelayConfig(options.config);
      const signal = stopSignal(config.relay.drainMs + STOP_MS);
      const log = createLog(options.logLevel, 'postern-relay');
      try {
        const relay = await startRelay(config, { log, signal });
        growYoungGeneration();
        await aborted(signal);
        await relay.close();
      } catch (error) {
        // A start that was stopped on purpose has not failed.
        if (!signal.aborted) throw error;
      }
    });

  outputOption(relay.command('check'))
    .description(
      'Looks at what the relay needs from the world around it (names, certificate, provider, database, ports), and says what to put right. Changes nothing.',
    )
    .action(async ({ output }: OutputOptions, command: Command) => {
      const { relayCheck } = await import('./relay-check.ts');
      const { config } = command.optsWithGlobals<{ config: string }>();
      const { ok, findings, text } = await relayCheck(config);
      printList(findings, output, () => text);
      if (!ok)
        throw new PosternError(
          'config_invalid',
          'Not everything is in place: put right what is marked ✗, then check again.',
        );
    });
}
