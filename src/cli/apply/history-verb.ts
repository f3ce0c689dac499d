// `bulkhead history`: what was written into a cluster as which release, when, why, and what became of it.
import type { Command } from 'commander';
import { openKubeApi } from '../../kube/kube-api.ts';
import { sayingRights } from '../../release/missing-rights.ts';
import { listReleases } from '../../release/release-store.ts';
import { historyJson, historyText } from '../../report/state/history.ts';
import { DATA_FORMATS, dataAnswer } from '../../terminal/data-answer.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';
import { choiceOf } from '../options/choice.ts';
import { addPlaceOptions } from './release-options.ts';

const FORMATS = ['table', ...DATA_FORMATS] as const;

interface HistoryOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly keepIn: string;
  readonly output: (typeof FORMATS)[number];
}

export function defineHistory(command: Command): void {
  addPlaceOptions(command.argument('[RELEASE]', 'only of this one'))
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'table')
    .addHelpText('after', `
The newest 20 revisions of each release are kept, each in a ConfigMap with what was there before.

Example: bulkhead history shop`)
    .action(async (release: string | undefined, options: HistoryOptions) => {
      process.exitCode = await runHistory(release, options);
    });
}

async function runHistory(release: string | undefined, { context, kubeconfig, keepIn, output }: HistoryOptions): Promise<number> {
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const kept = await sayingRights(listReleases(api, keepIn, release));
  await writeAnswer(output === 'table' ? [historyText(kept, terminalOf(process.stdout).style, new Date())] : await dataAnswer(output, [historyJson(kept)]));
  return 0;
}
