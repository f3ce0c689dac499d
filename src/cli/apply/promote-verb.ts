// `bulkhead promote`: a staged policy becomes the real one, when somebody who has seen what it would refuse says so.
import type { Command } from 'commander';
import type { ClusterApi, ObjectPlace, ServedKind, StoredObject } from '../../kube/cluster-api.ts';
import { ClusterError } from '../../kube/cluster-error.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { printable } from '../../report/text/printable.ts';
import { readStaged, REAL_FORM, realObject, STAGED_CLUSTER_POLICY, STAGED_POLICY, type RealObject } from '../../stage/read-staged.ts';
import { isSameSpec, sumStaged, type StagedSum } from '../../stage/staged-sum.ts';
import { completeChange, keepChange, type KeptChange } from '../../release/keep-change.ts';
import { sayingRights } from '../../release/missing-rights.ts';
import { authored } from '../../release/release-object.ts';
import { RELEASE_LABEL, type RecordedChange } from '../../release/release-record.ts';
import { answersOf } from '../define/answer-proposals.ts';
import { gapsAfter } from './gaps-after.ts';
import { releaseLockOptions } from './release-holder.ts';
import { UsageError } from '../../terminal/failures.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';

interface PromoteOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly yes?: boolean;
  readonly keep?: boolean;
  readonly keepIn: string;
}

export function definePromote(command: Command): void {
  command
    .argument('<POLICY>', 'NAMESPACE/NAME of a StagedPolicy, or NAME of a StagedClusterPolicy')
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'another kubeconfig')
    .option('-y, --yes', 'do not ask')
    .option('--keep', 'leave the staged policy where it is')
    .option('--keep-in <NAMESPACE>', 'where the history is kept', 'default')
    .addHelpText('after', `
Says what the agents counted, asks, writes the real policy, and takes the staged one away.
Broken off in the middle it can be called again. A policy of the same name is replaced, and stays as it was until then.
It is a revision of the release that the staged policy belongs to, default where it belongs to none: bulkhead rollback takes it back.

Exit status: 0 it is in the API server; 1 nothing was changed; 2 it cannot be understood; 3 the cluster said no.

Examples:
  bulkhead promote shop/web
  bulkhead promote --yes shop/web && bulkhead status shop/web --wait 60`)
    .action(async (word: string, options: PromoteOptions) => {
      process.exitCode = await runPromote(word, options);
    });
}

async function runPromote(word: string, options: PromoteOptions): Promise<number> {
  const { context, kubeconfig } = options;
  const place = placeOf(word);
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const staged = await api.get(place);
  const { problem } = readStaged(asObject(staged));
  if (problem !== undefined) {
    await writeNote(`bulkhead: ${word} is not promoted: ${printable(problem)}\n`);
    return 2;
  }
  const wanted = realObject(asObject(staged));
  const real = realPlace(place);
  const held = await find(api, real);
  if (held !== undefined && isSameSpec(held['spec'], wanted.spec)) {
    await writeNote(`bulkhead: ${wanted.kind} ${word} is there already\n`);
    await sayingRights(completeChange(api, historyOf(staged, options)));
    return finish(api, place, staged, options);
  }
  await writeNote(summaryText(word, sumStaged(staged), held !== undefined));
  if (!(await isWanted(options))) {
    await writeNote('bulkhead: nothing was changed\n');
    return 1;
  }
  await keepPromotion(api, { staged, held, wanted }, options, () => write(api, real.served, wanted, held));
  await writeAnswer([`${wanted.kind} ${word} is in the API server; \`bulkhead status ${word} --wait\` says when it is in force\n`]);
  return finish(api, place, staged, options);
}

/** Throws UsageError. */
function placeOf(word: string): ObjectPlace {
  const parts = word.split('/');
  if (parts.length > 2 || parts.some((part) => !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(part))) throw new UsageError(`\`${word}\` is no name of a staged policy`, 'write NAMESPACE/NAME, or NAME for one of the whole cluster');
  const [first, second] = parts as [string, string?];
  return second === undefined ? { served: STAGED_CLUSTER_POLICY, name: first } : { served: STAGED_POLICY, namespace: first, name: second };
}

function realPlace({ served, namespace, name }: ObjectPlace): ObjectPlace {
  const { apiVersion, kind } = REAL_FORM[served.kind as keyof typeof REAL_FORM]; // of the two staged kinds
  const real: ServedKind = { apiVersion, kind, resource: kind === 'NetworkPolicy' ? 'networkpolicies' : 'clusternetworkpolicies', isNamespaced: namespace !== undefined };
  return { served: real, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** What is stored has a name. */
function asObject(stored: StoredObject): Parameters<typeof realObject>[0] {
  return stored as Parameters<typeof realObject>[0];
}

async function find(api: ClusterApi, place: ObjectPlace): Promise<StoredObject | undefined> {
  try {
    return await api.get(place);
  } catch (error) {
    if (error instanceof ClusterError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** Its labels and annotations stay; its spec is the staged one, whole, which server-side apply could not promise beside other owners. */
async function write(api: ClusterApi, served: ServedKind, wanted: RealObject, held: StoredObject | undefined): Promise<void> {
  if (held === undefined) await api.apply(served, { ...wanted }, { fieldManager: 'bulkhead-promote' });
  else await api.replace(served, { ...held, metadata: { ...held.metadata, name: wanted.metadata.name }, spec: wanted.spec });
}

interface Promotion {
  readonly staged: StoredObject;
  readonly held: StoredObject | undefined;
  readonly wanted: RealObject;
}

/** What was there before is kept, so that it can be taken back. A promotion that broke off is taken back before the next. */
async function keepPromotion(api: ClusterApi, { staged, held, wanted }: Promotion, options: PromoteOptions, act: () => Promise<void>): Promise<void> {
  const after = held === undefined ? wanted : { ...authored(held), spec: wanted.spec };
  const changes: RecordedChange[] = [
    { before: held === undefined ? null : authored(held), after: { ...after } },
    ...(options.keep === true ? [] : [{ before: authored(asObject(staged)), after: null }]),
  ];
  await sayingRights(keepChange(api, { changes, ...historyOf(staged, options), gaps: await gapsAfter(api, changes) }, act));
}

function historyOf(staged: StoredObject, { keepIn }: PromoteOptions): Pick<KeptChange, 'reason' | 'lock'> {
  const { name, namespace } = asObject(staged).metadata;
  const release = (staged.metadata['labels'] as Readonly<Record<string, string>> | undefined)?.[RELEASE_LABEL] ?? 'default'; // as a server stores them
  return { reason: `promote ${namespace === undefined ? name : `${namespace}/${name}`}`, lock: releaseLockOptions(keepIn, release) };
}

async function finish(api: ClusterApi, place: ObjectPlace, staged: StoredObject, { keep = false }: PromoteOptions): Promise<number> {
  if (keep) return 0;
  const now = await find(api, place);
  if (now !== undefined && now.metadata.uid === staged.metadata.uid && now.metadata.generation === staged.metadata.generation) await api.delete(place);
  else if (now !== undefined) await writeNote('bulkhead: the staged policy has changed meanwhile, and is left\n');
  return 0;
}

/** Nobody who could be asked: it is not done. */
async function isWanted(options: PromoteOptions): Promise<boolean> {
  const answers = answersOf(options);
  if (answers !== 'ask') return answers === 'yes';
  const { createInterface } = await import('node:readline/promises');
  const question = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await question.question('Make it the real policy? [y/N] ')).trim());
  } finally {
    question.close();
  }
}

function summaryText(word: string, { nodes, problems, judged, wouldRefuse, wouldAllow, unknown, since, witnesses }: StagedSum, isReplacing: boolean): string {
  const counted = nodes === 0
    ? ['no node has judged this generation of it yet: nobody knows what it would refuse']
    : [`${nodes} ${nodes === 1 ? 'node has' : 'nodes have'} judged it since ${since}: ${judged} judgments, of which it would refuse ${wouldRefuse} that are allowed today, allow ${wouldAllow} that are refused today, and nobody can say of ${unknown}`];
  const refused = witnesses.map(({ source, target, protocol, port, judged: times }) => `  would refuse ${source} -> ${target} ${protocol}${port === 0 ? '' : `/${port}`}, ${times} times`);
  const lines = [...counted, ...refused, ...problems.map((problem) => `a node cannot judge it: ${problem}`), ...(isReplacing ? ['it takes the place of the policy of its name'] : [])];
  return lines.map((line) => `bulkhead: ${word}: ${printable(line)}\n`).join('');
}
