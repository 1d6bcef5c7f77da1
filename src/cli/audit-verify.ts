import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { messageOf, PosternError } from '../lib/errors.ts';
import { createLog } from '../lib/log.ts';
import { type OutputFormat, outputOption, printOne } from './output.ts';
import { stopSignal } from './until-signal.ts';

interface VerifyOptions {
  readonly config: string;
  readonly log?: string;
  readonly checkpoint: readonly string[];
  readonly key?: string;
  readonly output: OutputFormat;
}

export function addVerifyCommand(audit: Command): void {
  outputOption(audit.command('verify'))
    .description(
      'Reads the whole audit log in the database and recomputes it. With PostgreSQL, also while the relay runs. Exit code 1: the log is not what it was.',
    )
    .requiredOption('--config <file>', 'postern.yaml')
    .option('--log <id>', 'the log of another relay in the same database')
    .option('--checkpoint <file...>', 'a checkpoint kept elsewhere: the log must still begin so', [])
    .option('--key <text>', 'the verifier of its signature, kept elsewhere; without it, the one in the database')
    .action(async ({ config, log, checkpoint, key, output }: VerifyOptions) => {
      const [{ loadRelayConfig }, { verifyAudit }] = await Promise.all([
        import('../config/relay-config.ts'),
        import('../relay/verify-audit.ts'),
      ]);
      const result = await verifyAudit(loadRelayConfig(config), {
        ...(log === undefined ? {} : { logId: log }),
        ...(key === undefined ? {} : { key }),
        notes: checkpoint.map(readNote),
        log: createLog('warn'),
        signal: stopSignal(),
      });
      printOne(result, output, () => asText(result));
      if (result.faultCount > 0) throw new PosternError('audit_fenced', 'The audit log is not what it was.');
    });
}

type Result = Awaited<ReturnType<typeof import('../relay/verify-audit.ts').verifyAudit>>;

const FAULTS: Readonly<Record<Result['faults'][number]['kind'], string>> = {
  missing: 'a record is missing',
  leaf: 'a record was changed',
  place: 'a record is not where it was',
  personal: 'the personal block is not the recorded one',
  facts: 'the facts are not the recorded ones',
  extra: 'there are records beyond the end of the log',
  root: 'the root is not that of the records',
  frontier: 'the state for further records does not fit',
  checkpoint: 'the log does not begin as the checkpoint of this size says, or the checkpoint is not genuine',
};

function asText({ log, size, root, erased, checkpoints, key, faults, faultCount }: Result): string {
  const lines = [
    `log          ${log}`,
    `records      ${size}`,
    `root         ${root}`,
    `erased       ${erased}`,
    `checkpoints  ${checkpoints.given} given, ${checkpoints.kept} in the database`,
    `key          ${key ?? 'none'}`,
    ...faults.map(({ kind, index }) => `FAULT        ${index === undefined ? '' : `at ${index}: `}${FAULTS[kind]}`),
    ...(faultCount > faults.length ? [`FAULTS       ${faultCount - faults.length} more`] : []),
    `result       ${faultCount === 0 ? 'ok' : `${faultCount} faults; the first is the one to look at`}`,
  ];
  return `${lines.join('\n')}\n`;
}

function readNote(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PosternError('request_invalid', `The checkpoint ${file} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}
