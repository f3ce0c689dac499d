// The options by which every verb that reads takes its manifests.
import type { Command } from 'commander';
import { addSettingsOption, type SettingsOption } from './settings-file.ts';

export interface InputOptions extends SettingsOption {
  readonly file?: readonly string[];
  readonly namespace?: string;
  readonly lenient?: boolean;
  readonly podCidr?: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly allNamespaces?: boolean;
  readonly snapshot?: string;
}

export function addInputOptions(command: Command): Command {
  return addReadingOptions(addPlaceOptions(command).option('-n, --namespace <NAME>', 'namespace of objects that name none (default: default); of a cluster, the only one that is read'));
}

/** Without `-n`, for a verb that needs it for something else. */
export function addSourceOptions(command: Command): Command {
  return addReadingOptions(addPlaceOptions(command));
}

function addPlaceOptions(command: Command): Command {
  return command
    .option('-f, --file <FILE|DIR|->', 'manifests: YAML or JSON; a folder with all below it; - is standard input; repeatable', collect)
    .option('--cluster', 'the cluster of the current context; manifests besides: what if they were applied to it')
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'another kubeconfig (default: $KUBECONFIG, then ~/.kube/config)')
    .option('--snapshot <FILE>', 'what `bulkhead snapshot` kept of a cluster, in place of it');
}

function addReadingOptions(command: Command): Command {
  return addSettingsOption(command)
    .option('-A, --all-namespaces', 'of a cluster, every namespace: the default')
    .option('--pod-cidr <CIDR>', 'addresses that the pods get, so that ipBlocks can be held against them; repeatable', collect)
    .option('--lenient', 'read as the API server with Warn does; say what the answer leaves out');
}

/** For options that may be given several times. */
export function collect(word: string, known: readonly string[] | undefined): readonly string[] {
  return [...(known ?? []), word];
}
