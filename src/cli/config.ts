import type { Command } from 'commander';
import { PosternError } from '../lib/errors.ts';

export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .summary('check configuration files')
    .description('Looks at files of configuration.');
  config
    .command('check')
    .description('Checks postern.yaml (with its policy and the tests of that), agent.yaml, or rules. Starts nothing.')
    .argument('<file>', 'postern.yaml, agent.yaml, a file of rules or a directory of them')
    .action(async (file: string) => {
      const { configCheck } = await import('./config-check.ts');
      const { ok, text } = configCheck(file);
      if (!ok) throw new PosternError('config_invalid', text);
      process.stdout.write(`${text}\n`);
    });
}
