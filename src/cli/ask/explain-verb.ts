// `bulkhead explain SOURCE TARGET [PROTO/PORT]`: allowed or not, and by which rule at which line.
import type { Command } from 'commander';
import type { IpFamily } from '../../base/ip-address.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { Program } from '../../compile/program.ts';
import { explain } from '../../analyze/explain.ts';
import { contextOf } from '../../analyze/named-ends.ts';
import { askedPairs, type AskedEnd, type AskedPair } from '../../words/asked-pairs.ts';
import { findEnds } from '../../words/endpoint-words.ts';
import type { Engine } from '../../lint/engines/engine.ts';
import { explanationsJson, explanationText, type Answer, type AnswerEnd } from '../../report/ask/explanation.ts';
import { choiceOf } from '../options/choice.ts';
import { DATA_FORMATS, dataAnswer } from '../../terminal/data-answer.ts';
import { addEngineOption, engineOf, type EngineOption } from '../options/engine-option.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { readInputs } from '../../input/input.ts';
import { terminalOf } from '../../terminal/terminal.ts';

/** A word may stand for many ends; beyond this number of pairs the rest is counted. */
const PAIRS_MAX = 64;

const FORMATS = ['text', ...DATA_FORMATS] as const;

interface ExplainOptions extends InputOptions, EngineOption {
  readonly output: (typeof FORMATS)[number];
  readonly family?: IpFamily;
}

export function defineExplain(command: Command): void {
  const words = command
    .argument('<SOURCE>', 'namespace/name of a workload or pod, namespace/*, key=value, a CIDR, or internet')
    .argument('<TARGET>', 'the same, or svc/namespace/name:port, a DNS name of the cluster, a URL')
    .argument('[PROTO/PORT]', 'tcp/80, udp/53, tcp/8000-8999, tcp/http, icmp, any (default: any)');
  addEngineOption(addInputOptions(words))
    .option('--family <4|6>', 'over addresses of this family alone (default: the first over which anything is allowed)', familyWord)
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'text')
    .addHelpText('after', '\nExit status: 0 all that was asked is allowed; 1 some of it is denied.\n\nExample: bulkhead explain -f examples/shop/shop.yaml shop/web shop/api tcp/9000')
    .action(async (source: string, target: string, port: string | undefined, options: ExplainOptions) => {
      process.exitCode = await runExplain({ source, target, port, family: options.family }, options);
    });
}

interface Words {
  readonly source: string;
  readonly target: string;
  readonly port: string | undefined;
  readonly family: IpFamily | undefined;
}

const FAMILY_WORDS = ['4', '6'] as const;

function familyWord(word: string): IpFamily {
  return choiceOf(FAMILY_WORDS)(word) === '4' ? 4 : 6;
}

async function runExplain(words: Words, options: ExplainOptions): Promise<number> {
  const engine = await engineOf(options);
  const input = await readInputs(options.file ?? [], options);
  if (input === undefined) return 2;
  const program = compileCluster(input.cluster);
  const { answers: plain, leftOut } = answerWords(program, words);
  const answers = engine === undefined ? plain : await withNotes(plain, program, engine);
  const { style } = terminalOf(process.stdout);
  await writeAnswer(options.output === 'text' ? answers.map((answer) => explanationText(answer, style)) : await dataAnswer(options.output, [explanationsJson(answers)]));
  if (leftOut > 0) await writeNote(`bulkhead: ${leftOut} more pairs are not shown; name one pod or a smaller range\n`);
  return leftOut === 0 && answers.every(({ explanation }) => explanation.verdict === 'allowed') ? 0 : 1;
}

function answerWords(program: Program, words: Words): { answers: Answer[]; leftOut: number } {
  const sources = findEnds(program, words.source);
  const targets = findEnds(program, words.target, contextOf(sources.pods));
  const pairs = askedPairs(program, { sources, targets, portWords: words.port === undefined ? undefined : [words.port] });
  const ofFamily = pairs.filter((pair) => words.family === undefined || couldUse(pair, words.family));
  if (ofFamily.length === 0) throw new UsageError(`no address of IPv${words.family} is among these ends`, 'leave --family out, or name other ends');
  const judged = ofFamily.filter(({ ports }) => ports?.length !== 0);
  const answers = judged.slice(0, PAIRS_MAX).map(({ source, target, ports, family = words.family, isHairpin }) => ({
    source: answerEnd(source),
    target: answerEnd(target),
    asked: ports,
    ...(words.family && { family: words.family }),
    explanation: explain(program, { source: source.ref, target: target.ref, isHairpin, ...(ports && { ports }), ...(family && { family }) }),
  }));
  return { answers, leftOut: judged.length - answers.length };
}

/** Of pods the answer says what they lack. */
function couldUse({ source, target, family }: AskedPair, wanted: IpFamily): boolean {
  return (family ?? wanted) === wanted && [source, target].every(({ ref }) => ref.kind !== 'address' || ref.address.family === wanted);
}

function answerEnd({ label, ref }: AskedEnd): AnswerEnd {
  return { name: label, isOutside: ref.kind !== 'pod' };
}

/** Each answer with where the engine departs from it. */
async function withNotes(answers: readonly Answer[], { cluster }: Program, engine: Engine): Promise<Answer[]> {
  const { engineNotes } = await import('../../lint/engine-notes.ts');
  const notesOf = engineNotes(cluster, engine);
  return answers.map((answer) => ({ ...answer, notes: notesOf(answer.explanation) }));
}
