// `bulkhead prove "ASSERTION"`: what must hold, with a counterexample where it does not.
import type { Command } from 'commander';
import { compileCluster } from '../../compile/compile.ts';
import { parseAssertion } from '../../words/assertion.ts';
import { checkAssertion } from '../../prove/check-assertion.ts';
import { compareSets } from '../../prove/compare-sets.ts';
import { findRedundancies } from '../../prove/redundancy.ts';
import { assertionsJson, assertionText, type CheckedAssertion } from '../../report/ask/assertion.ts';
import { redundanciesJson, redundanciesText } from '../../report/ask/redundancy.ts';
import { choiceOf } from '../options/choice.ts';
import { DATA_FORMATS, dataAnswer } from '../../terminal/data-answer.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { openSides } from '../../input/open-sides.ts';
import { readInputs, readOpened } from '../../input/input.ts';
import { terminalOf } from '../../terminal/terminal.ts';

const FORMATS = ['text', ...DATA_FORMATS] as const;

interface ProveOptions extends InputOptions {
  readonly output: (typeof FORMATS)[number];
  readonly equal?: boolean;
  readonly contains?: boolean;
  readonly redundant?: boolean;
}

export function defineProve(command: Command): void {
  addInputOptions(command.argument('[ASSERTION...]', 'what must hold; with --equal and --contains two sets of manifests, with --redundant manifests'))
    .option('--equal', 'prove that the sets OLD and NEW allow the same connections')
    .option('--contains', 'prove that every connection that the set A allows is allowed by the set B')
    .option('--redundant', 'name policies, rules, peers and ports that change nothing')
    .option('-o, --output <FORMAT>', `one of: ${FORMATS.join(', ')}`, choiceOf(FORMATS), 'text')
    .addHelpText('after', `
Assertions:
  allow A -> B on tcp/80         every pair may talk, on every port named
  deny A -> B on tcp/80,udp/53   no pair may talk on any; without ports, on any at all
  isolated NAMESPACE             a NetworkPolicy isolates every pod; also of other ends, and "for ingress"
  no-path A -> B hops 3          no chain of connections leads there; without hops, of any length

Exit status: 0 all of it holds; 1 something does not; 2 the words or the input could not be understood.

Examples:
  bulkhead prove -f manifests "deny shop/web -> internet" "isolated shop"
  bulkhead prove -f workloads --equal old-policies new-policies
  bulkhead prove --redundant manifests`)
    .action(async (words: readonly string[], options: ProveOptions) => {
      process.exitCode = await runProve(words, options);
    });
}

async function runProve(words: readonly string[], options: ProveOptions): Promise<number> {
  if ([options.equal, options.contains, options.redundant].filter(Boolean).length > 1) throw new UsageError('--equal, --contains and --redundant are three questions', 'ask one of them');
  if (options.redundant === true) return proveRedundant(words, options);
  if (options.equal === true || options.contains === true) return proveSets(words, options);
  if (words.length === 0) throw new UsageError('no assertion', 'write bulkhead prove -f manifests "deny shop/web -> internet"');
  const assertions = words.map((sentence) => ({ sentence, assertion: parseAssertion(sentence) }));
  const input = await readInputs(options.file ?? [], options);
  if (input === undefined) return 2;
  const program = compileCluster(input.cluster);
  return writeChecked(assertions.map(({ sentence, assertion }) => ({ sentence, result: checkAssertion(program, assertion) })), options);
}

async function proveSets(words: readonly string[], options: ProveOptions): Promise<number> {
  const [first, second, ...more] = words;
  if (first === undefined || second === undefined || more.length > 0) throw new UsageError('two sets of manifests are wanted', 'what belongs to both goes behind -f');
  const sides = await openSides(first, second, options);
  const [before, after] = [await readOpened(sides.before, options), await readOpened(sides.after, options)];
  if (before === undefined || after === undefined) return 2;
  const question = options.equal === true ? 'equal' : 'contained';
  const result = compareSets({ before: compileCluster(before.cluster), after: compileCluster(after.cluster) }, question);
  const sentence = question === 'equal' ? `${first} and ${second} allow the same` : `what ${first} allows, ${second} allows`;
  return writeChecked([{ sentence, result }], options);
}

async function writeChecked(checked: readonly CheckedAssertion[], { output }: ProveOptions): Promise<number> {
  const { style } = terminalOf(process.stdout);
  await writeAnswer(output === 'text' ? checked.map((one) => assertionText(one, style)) : await dataAnswer(output, [assertionsJson(checked)]));
  return checked.every(({ result }) => result.holds) ? 0 : 1;
}

async function proveRedundant(words: readonly string[], options: ProveOptions): Promise<number> {
  const input = await readInputs([...(options.file ?? []), ...words], options);
  if (input === undefined) return 2;
  const redundancies = findRedundancies(input.cluster);
  const { style } = terminalOf(process.stdout);
  await writeAnswer(options.output === 'text' ? redundanciesText(redundancies, style) : await dataAnswer(options.output, [redundanciesJson(redundancies)]));
  return redundancies.found.length === 0 ? 0 : 1;
}
