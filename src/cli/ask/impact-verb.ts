// `bulkhead impact POD`: what a compromised pod reaches, directly and by hops.
import type { Command } from 'commander';
import { compileCluster } from '../../compile/compile.ts';
import type { Program } from '../../compile/program.ts';
import { findImpact } from '../../analyze/impact.ts';
import { podName } from '../../analyze/named-ends.ts';
import { outsidePorts } from '../../analyze/outside-ports.ts';
import { adviseWall } from '../../analyze/wall-advice.ts';
import { findEnds } from '../../words/endpoint-words.ts';
import { impactsJson, impactText, type ImpactAnswer } from '../../report/ask/impact.ts';
import { choiceOf } from '../options/choice.ts';
import { DATA_FORMATS, dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { positiveNumber } from '../options/number-words.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { readInputs } from '../../input/input.ts';
import { terminalOf } from '../../terminal/terminal.ts';

const FORMATS = ['text', ...DATA_FORMATS] as const;

/** A word may stand for pods that policies treat differently; beyond these the rest is counted. */
const ANSWERS_MAX = 16;

interface ImpactOptions extends InputOptions {
  readonly output: (typeof FORMATS)[number];
  readonly hops?: number;
}

export function defineImpact(command: Command): void {
  addInputOptions(command.argument('<POD>', 'namespace/name of a pod or workload, key=value, or another word of explain for pods').argument('[PATH...]', 'the same as -f'))
    .option('--hops <NUMBER>', 'the longest chain of connections (default: as far as it goes)', positiveNumber)
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'text')
    .addHelpText('after', '\nA hop is one connection, to another pod, from which the next one goes.\n\nExample: bulkhead impact shop/web manifests --hops 3')
    .action(async (word: string, paths: readonly string[], options: ImpactOptions) => {
      process.exitCode = await runImpact(word, paths, options);
    });
}

async function runImpact(word: string, paths: readonly string[], options: ImpactOptions): Promise<number> {
  const input = await readInputs([...(options.file ?? []), ...paths], options);
  if (input === undefined) return 2;
  const program = compileCluster(input.cluster);
  const { ends } = findEnds(program, word);
  const pods = ends.flatMap((end) => end.pods.slice(0, 1));
  if (pods.length === 0) throw new UsageError(`\`${word}\` names addresses, and an impact is that of a pod`, 'write namespace/name of a pod or workload');
  const answers = pods.slice(0, ANSWERS_MAX).map((pod) => answerFor(program, pod, options.hops));
  const { style } = terminalOf(process.stdout);
  await writeAnswer(options.output === 'text' ? answers.map((answer) => impactText(answer, style)) : await dataAnswer(options.output, [impactsJson(answers)]));
  if (pods.length > answers.length) await writeNote(`bulkhead: ${pods.length - answers.length} more pods are treated otherwise and not shown; name one of them\n`);
  return 0;
}

function answerFor(program: Program, pod: number, hopsMax: number | undefined): ImpactAnswer {
  const impact = findImpact(program, pod, hopsMax === undefined ? {} : { hopsMax });
  return {
    pod: podName(program.cluster.pods[pod]!),
    hopsMax,
    impact,
    outside: outsidePorts(program, pod, 'egress'),
    walls: impact.walls.map((wall) => ({ wall, advice: adviseWall(program, wall) })),
  };
}
