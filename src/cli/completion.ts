import { Argument, type Command } from 'commander';
import { COMPLETION_SCRIPTS, SHELLS, type Shell } from './complete/scripts.ts';
import { print } from './output.ts';

const HELP = `
bash, in ~/.bashrc:                   source <(postern completion bash)
zsh, in ~/.zshrc, after compinit:     source <(postern completion zsh)
fish, once:                           postern completion fish > ~/.config/fish/completions/postern.fish`;

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .summary('let the shell complete commands, options and names')
    .description(
      'Prints what a shell is to read, so that Tab completes commands, options, resources, agents and profiles.',
    )
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .addHelpText('after', HELP)
    .action((shell: Shell) => print(COMPLETION_SCRIPTS[shell]));
}
