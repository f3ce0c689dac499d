// `bulkhead new PATTERN`: a policy from a named pattern, with the names of the input, and what it would change there.
import { existsSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { nearestWord } from '../../base/near-miss.ts';
import { hasErrors } from '../../base/finding.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { PolicyDraft } from '../../model/policy-draft.ts';
import { freePriority } from '../../pattern/add-policies.ts';
import type { Answers, Topic } from '../../pattern/answers.ts';
import type { NamedInput, NameProblem } from '../../pattern/check-names.ts';
import { moveToNamespace } from '../../pattern/move-to-namespace.ts';
import { findPattern, PATTERNS } from '../../pattern/pattern.ts';
import type { Pattern, Place } from '../../pattern/pattern-shape.ts';
import { readManifests, sourceFromText } from '../../read/read.ts';
import { policiesYaml } from '../../report/define/policy-yaml.ts';
import { printable } from '../../report/text/printable.ts';
import { alignColumns } from '../../report/text/table.ts';
import { askWords, type Questionnaire } from './ask-words.ts';
import { UsageError } from '../../terminal/failures.ts';
import { addSourceOptions, type InputOptions } from '../../input/input-options.ts';
import { INTERRUPTED_STATUS } from '../../terminal/interruption.ts';
import { systemWords } from '../../input/list-inputs.ts';
import { checkAnswers, missingTopics, settleAnswers, settleSubject, type TopicWords } from './new-answers.ts';
import { effectNotes } from './new-effect.ts';
import { offersFor } from './new-offers.ts';
import { addTopicOptions, refuseForeignTopics, topicWords } from './new-topics.ts';
import { hasBase } from '../../input/open-base.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { inputsOfSettings, readInputs } from '../../input/input.ts';
import { replaceFile } from '../../input/replace-file.ts';

interface NewOptions extends Omit<InputOptions, 'namespace'>, Readonly<Record<string, unknown>> {
  readonly notYet?: boolean;
  readonly write?: string;
  readonly force?: boolean;
}

export function defineNew(command: Command): void {
  addSourceOptions(addTopicOptions(command.argument('[PATTERN]', 'a name of the list that `bulkhead new` prints')))
    .option('--not-yet', 'names may be of what is not there yet: warn about those that the input does not have, and go on')
    .option('--write <FILE>', 'write the policy into a new file, in place of standard output')
    .option('--force', 'let --write replace a file')
    .addHelpText('after', `
Without PATTERN: the list of patterns. On a terminal, what is missing is asked for, with the names, labels and
ports that the input has; elsewhere it is named, with status 2.

With manifests or a cluster, a name that they do not have is refused, and what the policy would change is said on
standard error. Manifests that name no namespace anywhere, as charts print them, are taken to be in that of -n.

Exit status: 0; 2 when something is missing, means nothing or is not in the input.

Examples:
  bulkhead new default-deny -n shop
  bulkhead new allow-dns -n shop -f manifests
  bulkhead new database -n data --selector app=db --from-selector app=api --port tcp/5432 --cluster`)
    .action(async (name: string | undefined, options: NewOptions) => {
      process.exitCode = await runNew(name, options);
    });
}

async function runNew(name: string | undefined, options: NewOptions): Promise<number> {
  if (name === undefined) return listPatterns();
  const pattern = patternNamed(name);
  const given = topicWords(options);
  refuseForeignTopics(pattern, given);
  if (options.write !== undefined) refuseOverwriting(options.write, options);
  const input = await openInput(options, settleSubject(given).namespace ?? '');
  if (input === 'unreadable') return 2;
  const words = await completeWords({ pattern, given, input, isAhead: options.notYet === true });
  if (words === 'interrupted') return INTERRUPTED_STATUS;
  const answers = settleAnswers(pattern, words, input?.cluster);
  if (input !== undefined) await reportProblems(checkAnswers(pattern, words, answers, input), options);
  const text = [...policiesYaml([draftPolicy(pattern, answers, { words, input: input?.cluster })])].join('');
  const added = readBack(text);
  await deliver(text, options);
  await writeNote(effectNotes(added, input?.cluster).map((note) => `bulkhead: ${note}\n`).join(''));
  return 0;
}

async function listPatterns(): Promise<number> {
  await writeAnswer([alignColumns(PATTERNS.map(({ name, summary }) => [name, summary])).map((line) => `${line}\n`).join('')]);
  await writeNote('bulkhead: `bulkhead new PATTERN` prints the policy; docs/patterns has a page for each\n');
  return 0;
}

function patternNamed(name: string): Pattern {
  const pattern = findPattern(name);
  if (pattern !== undefined) return pattern;
  const near = nearestWord(name, PATTERNS.map((one) => one.name));
  throw new UsageError(`there is no pattern \`${name}\``, near === undefined ? '`bulkhead new` lists them' : `did you mean ${near}? \`bulkhead new\` lists them all`);
}

/** undefined: neither manifests nor a cluster are named, so there is nothing to look names up in. */
async function openInput(options: NewOptions, namespace: string): Promise<NamedInput | undefined | 'unreadable'> {
  const words = options.file ?? (hasBase(options) ? [] : await inputsOfSettings(options));
  if (words.length === 0 && !hasBase(options)) return undefined;
  const input = await readInputs(words, sourceOptions(options));
  if (input === undefined) return 'unreadable';
  const isHomeless = !input.namesNamespaces && namespace !== '';
  return { cluster: isHomeless ? moveToNamespace(input.cluster, namespace) : input.cluster, isWhole: hasBase(options) };
}

/** `-n` is the namespace of the policy here, and of objects only where none names its own, as in what charts print. */
function sourceOptions(options: NewOptions): InputOptions {
  const { namespace: _, ...rest } = options;
  return rest;
}

async function completeWords(questionnaire: Questionnaire): Promise<TopicWords | 'interrupted'> {
  const { pattern, given, input } = questionnaire;
  const missing = missingTopics(pattern, given, input?.cluster);
  if (missing.length === 0) return given;
  if (process.stdin.isTTY && process.stderr.isTTY) return askWords(questionnaire);
  throw new UsageError(`${pattern.name} needs ${missing.map((topic) => `--${topic}`).join(', ')}`, helpFor(questionnaire, missing[0]!));
}

function helpFor({ pattern, given, input }: Questionnaire, topic: Topic): string {
  const isPlace = pattern.takes.some((take) => take.topic === topic && take.need === 'place');
  if (isPlace && pattern.place !== undefined && pattern.place !== 'dns') return `${input === undefined ? '' : 'the input does not have it; '}${PLACE_HELP[pattern.place]}`;
  const offers = offersFor(pattern, topic, { words: given, input: input?.cluster });
  return offers.length === 0 ? '`bulkhead new --help` says how it is written' : `${input === undefined ? 'one of' : 'the input has'} ${offers.map(printable).join(', ')}`;
}

/** How those are named whom the input is searched for. */
const PLACE_HELP: Readonly<Record<Exclude<Place, 'dns'>, string>> = {
  'ingress-controller': 'for ingress-nginx it is --from-namespace ingress-nginx --from-selector app.kubernetes.io/name=ingress-nginx,app.kubernetes.io/component=controller',
  'scraper': 'for Prometheus it is mostly --from-namespace monitoring --from-selector app.kubernetes.io/name=prometheus',
  'api-server': 'its addresses are what `kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes` prints',
};

/** What is missing makes a policy that does not do what it says, so it is refused unless it is to come. */
async function reportProblems(problems: readonly NameProblem[], { notYet }: NewOptions): Promise<void> {
  const missing = problems.filter(({ severity }) => severity === 'missing');
  if (missing.length > 0 && notYet !== true) {
    const { topic, message, help } = missing[0]!;
    throw new UsageError(`--${topic}: ${printable(message)}`, `${printable(help)}${help.endsWith('?') ? ' ' : '; '}--not-yet goes on if it is to come`);
  }
  for (const { topic, message, help } of problems) await writeNote(`bulkhead: warning: --${topic}: ${printable(message)}\n  help: ${printable(help)}\n`);
}

interface Known {
  readonly words: TopicWords;
  readonly input: Cluster | undefined;
}

/** A policy of the whole cluster gets a priority that no other one of its tier has. */
function draftPolicy(pattern: Pattern, answers: Answers, { words, input }: Known): PolicyDraft {
  const draft = pattern.draft(answers);
  const { policy } = draft;
  if (policy.kind === 'NetworkPolicy' || input === undefined || words.has('priority')) return draft;
  const others = input.clusterPolicies.filter(({ kind, name }) => kind !== 'ClusterNetworkPolicy' || name !== policy.name);
  return pattern.draft({ ...answers, priority: freePriority({ clusterPolicies: others }, policy.tier, policy.priority) });
}

/** What is printed is read again before anybody sees it: it must be what it says. */
function readBack(text: string): Cluster {
  const { cluster, findings } = readManifests([sourceFromText('new', text)]);
  if (hasErrors(findings)) throw new Error(`bug: the policy cannot be read: ${findings.map(({ message }) => message).join('; ')}\n${text}`);
  return cluster;
}

function refuseOverwriting(file: string, { force }: NewOptions): void {
  if (force !== true && existsSync(file)) throw new UsageError(`\`${file}\` is there already`, 'name another file, or say --force');
}

async function deliver(text: string, { write, force }: NewOptions): Promise<void> {
  if (write === undefined) return writeAnswer([text]);
  if (force === true && existsSync(write)) replaceFile(write, text);
  else {
    try {
      writeFileSync(write, text, { flag: 'wx' });
    } catch (error) {
      throw new UsageError(`cannot write \`${write}\`: ${systemWords(error)}`);
    }
  }
  await writeNote(`bulkhead: wrote ${printable(write)}\n`);
}
