// The options by which every verb that reads takes its manifests.
import type { Command } from 'commander';

export interface InputOptions {
  readonly file?: readonly string[];
  readonly namespace?: string;
  readonly lenient?: boolean;
  readonly podCidr?: readonly string[];
}

export function addInputOptions(command: Command): Command {
  return command
    .option('-f, --file <FILE|DIR|->', 'manifests: YAML or JSON; a folder with all below it; - is standard input; repeatable', collect)
    .option('-n, --namespace <NAME>', 'namespace of objects that name none (default: default)')
    .option('--pod-cidr <CIDR>', 'addresses that the pods get, so that ipBlocks can be held against them; repeatable', collect)
    .option('--lenient', 'read as the API server with Warn does; say what the answer leaves out');
}

function collect(word: string, known: readonly string[] | undefined): readonly string[] {
  return [...(known ?? []), word];
}
