import { Argument, type Command } from 'commander';
import { PosternError } from '../lib/errors.ts';
import type { FileKind } from './config-schema.ts';
import { type OutputOptions, outputOption, printList } from './output.ts';

export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .summary('begin, check and explain configuration files')
    .description('Looks at files of configuration.');
  config
    .command('init')
    .description(
      'Writes postern.yaml, agent.yaml, a first rule and schemas for editors. Asks nothing, overwrites nothing.',
    )
    .option('--dir <directory>', 'where to', '.')
    .action(async ({ dir }: { dir: string }) => {
      const { configInit } = await import('./config-init.ts');
      process.stdout.write(`${configInit(dir).join('\n')}\n`);
      process.stderr.write('Replace what says example.com, then: postern config check postern.yaml\n');
    });
  config
    .command('schema')
    .description('Prints the JSON Schema of a file, for editors and other programs.')
    .addArgument(new Argument('<kind>', 'which file').choices(['relay', 'agent', 'policy'] satisfies FileKind[]))
    .action(async (kind: FileKind) => {
      const { jsonSchemaText } = await import('./config-schema.ts');
      process.stdout.write(jsonSchemaText(kind));
    });
  outputOption(config.command('show'))
    .description('Prints each setting with its value and where that comes from. Secrets are hidden.')
    .requiredOption('--effective', 'with defaults; the only way there is')
    .argument('<file>', 'postern.yaml or agent.yaml')
    .action(async (file: string, { output }: OutputOptions) => {
      const { effectiveSettings, settingLines } = await import('./config-show.ts');
      const settings = effectiveSettings(file);
      printList(settings, output, () => settingLines(settings));
    });
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
