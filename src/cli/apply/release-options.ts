// The options by which `apply` and `rollback` are told what to judge by, whether to ask, and how long to wait.
import type { Command } from 'commander';
import { GUARDS, type Guard } from '../../release/guards.ts';
import { JUDGMENT_FORMATS } from '../../report/ask/judgment.ts';
import { addSettingsOption, type SettingsOption } from '../../input/settings-file.ts';
import { collect } from '../../input/input-options.ts';
import { choiceOf } from '../options/choice.ts';
import { durationSeconds } from '../options/number-words.ts';
import { addFlowOptions, type FlowOptions } from '../flows/flow-source.ts';

export interface ReleaseOptions extends SettingsOption, FlowOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly lenient?: boolean;
  readonly keepIn: string;
  readonly test?: readonly string[];
  readonly allow?: readonly Guard[];
  readonly adopt?: boolean;
  readonly yes?: boolean;
  /** true: of the server. */
  readonly dryRun?: 'client' | 'server' | true;
  /** In seconds; 0: it is not waited for. */
  readonly wait: number;
  readonly atomic?: boolean;
  readonly reason?: string;
  /** Of one that stands for a while: nobody stays to take it back. */
  readonly detach?: boolean;
  readonly output: (typeof JUDGMENT_FORMATS)[number];
}

export function addReleaseOptions(command: Command): Command {
  const guard = choiceOf(GUARDS);
  return addFlowOptions(addSettingsOption(addPlaceOptions(command)))
    .option('--test <FILE>', 'expectations that the cluster must meet, as `bulkhead test` reads them; repeatable', collect)
    .option('--allow <GUARD>', `let it do what a guard refuses: ${GUARDS.join(', ')}; repeatable`, (word: string, known: readonly Guard[] = []): readonly Guard[] => [...known, guard(word)])
    .option('--adopt', 'take over objects and fields that others have written')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run [WHERE]', 'judge and write nothing: server asks the API server what it would make of it, client does not', choiceOf(['client', 'server'] as const))
    .option('--wait <DURATION>', 'until every node says that it is in force: 60s, 5m; 0 does not wait', durationSeconds, 60)
    .option('--atomic', 'take it back when it breaks off, does not come into force in time, or a test fails')
    .option('--reason <TEXT>', 'why, for the history')
    .option('--lenient', 'leave out what may not be listed or cannot be understood, and say so')
    .option('-o, --output <FORMAT>', `of the judgment, one of: ${JUDGMENT_FORMATS.join(', ')}`, choiceOf(JUDGMENT_FORMATS), 'text');
}

export function addPlaceOptions(command: Command): Command {
  return command
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'another kubeconfig')
    .option('--keep-in <NAMESPACE>', 'where the history is kept', 'default');
}
