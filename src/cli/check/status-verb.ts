// `bulkhead status`: which generation of which policy is in force on which node since when, and what nobody can know.
import type { Command } from 'commander';
import { openKubeApi } from '../../kube/kube-api.ts';
import { rolloutJson, rolloutText } from '../../report/state/rollout.ts';
import { rolloutOf, type Rollout, type RolloutObjects } from '../../status/rollout.ts';
import { watchRollout } from '../../status/watch-rollout.ts';
import { choiceOf } from '../options/choice.ts';
import { DATA_FORMATS, dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { terminalOf } from '../../terminal/terminal.ts';

const FORMATS = ['table', ...DATA_FORMATS] as const;

interface StatusVerbOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly output: (typeof FORMATS)[number];
  /** true: without a bound. */
  readonly wait?: string | true;
}

export function defineStatus(command: Command): void {
  command
    .argument('[POLICY...]', 'only these: NAMESPACE/NAME, or NAME of a policy of the whole cluster')
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'another kubeconfig')
    .option('--wait [SECONDS]', 'until it is so, for at most so many seconds')
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'table')
    .addHelpText('after', `
Read from the NodeEnforcement objects that the agents write.
An agent is silent when it has not reported by the time that it had promised; its rules stay as they were.

Exit status: 0 all of it is in force on every node, and every agent is ready; 1 something is not, or nobody can know; 3 no answer.

Examples:
  bulkhead status
  bulkhead status shop/web --wait 60`)
    .action(async (names: readonly string[], options: StatusVerbOptions) => {
      process.exitCode = await runStatus(names, options);
    });
}

async function runStatus(names: readonly string[], { context, kubeconfig, output, wait }: StatusVerbOptions): Promise<number> {
  const bound = wait === undefined || wait === true ? new AbortController().signal : AbortSignal.timeout(secondsOf(wait) * 1000);
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  let seen: Rollout | undefined;
  for await (const objects of watchRollout(api, bound)) {
    seen = rolloutOf(chosen(objects, names), new Date());
    if (wait === undefined || seen.isComplete) break;
  }
  if (seen === undefined) {
    await writeNote(`bulkhead: the cluster ${api.name} has not told everything within the time\n`);
    return 3;
  }
  await writeAnswer(output === 'table' ? [rolloutText(seen, terminalOf(process.stdout).style)] : await dataAnswer(output, [rolloutJson(seen)]));
  return seen.isComplete ? 0 : 1;
}

function secondsOf(word: string): number {
  const seconds = Number(word);
  if (!/^[0-9]+(\.[0-9]+)?$/.test(word) || seconds > 86_400) throw new UsageError(`\`${word}\` is no number of seconds`, 'write --wait 60');
  return seconds;
}

/** Throws UsageError for a name that no policy has. */
function chosen(objects: RolloutObjects, names: readonly string[]): RolloutObjects {
  if (names.length === 0) return objects;
  const missing = names.find((name) => !objects.policies.some((policy) => nameOf(policy) === name));
  if (missing !== undefined) throw new UsageError(`there is no policy \`${missing}\` in the cluster`, 'name one as NAMESPACE/NAME, and one of the whole cluster as NAME');
  return { ...objects, policies: objects.policies.filter((policy) => names.includes(nameOf(policy))) };
}

function nameOf({ metadata: { namespace, name } }: RolloutObjects['policies'][number]): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
