// `bulkhead bundle`: what somebody who helps needs to know of this node and its cluster, in one file without secrets.
import { get } from 'node:http';
import { arch, release } from 'node:os';
import type { Command } from 'commander';
import { rulesetOf } from '../../emit/elements.ts';
import { formatRuleset } from '../../emit/format-ruleset.ts';
import { findNftVersion } from '../../kernel/detect-kernel.ts';
import { openFirewall } from '../../kernel/nft-firewall.ts';
import type { ClusterApi, ClusterObject, ServedKind } from '../../kube/cluster-api.ts';
import { loadKnowledge } from '../../doctor/known-engines.ts';
import { readFacts } from '../../doctor/read-facts.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { isPolicyKind } from '../../read/values/kinds.ts';
import { STAGED_KINDS } from '../../stage/read-staged.ts';
import { NODE_ENFORCEMENT } from '../../status/node-enforcement.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { packageVersion } from '../package-version.ts';

interface BundleOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly statusAddress: string;
}

/** More are left out, and counted. */
const OBJECTS_MAX = 20_000;
const ANSWER_CHARS_MAX = 1_000_000;
const ANSWER_MS_MAX = 5_000;

export function defineBundle(command: Command): void {
  command
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', 'another kubeconfig')
    .option('--status-address <HOST:PORT>', "where this node's agent answers", '127.0.0.1:9641')
    .addHelpText('after', `
Prints JSON: versions; what the agent of this node answers; the rules in its kernel; policies, nodes, and what the agents report;
which engines enforce policies, with their images and switches.
What cannot be had has the reason in its place, so it also works without a cluster, an agent, or root.
Never in it: Secrets, environment, annotations, tokens, images of yours. Names, labels and addresses are: read it before you give it away.

Exit status: 0.

Example:
  sudo bulkhead bundle > bundle.json`)
    .action(async (options: BundleOptions) => {
      await writeAnswer([`${JSON.stringify(await collect(options), undefined, 2)}\n`]);
    });
}

async function collect({ context, kubeconfig, statusAddress }: BundleOptions): Promise<object> {
  const open = (): Promise<ClusterApi> => openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  return {
    apiVersion: 'bulkhead/v1',
    kind: 'Bundle',
    takenAt: new Date().toISOString(),
    versions: { bulkhead: packageVersion(), node: process.version, kernel: release(), architecture: arch(), nft: findNftVersion() ?? null },
    agent: { readyz: await answerOf(statusAddress, '/readyz'), metrics: await answerOf(statusAddress, '/metrics') },
    ruleset: await orReason(readRuleset),
    cluster: await orReason(async () => readObjects(await open())),
    engines: await orReason(async () => readFacts(await open(), loadKnowledge(), new Date())),
  };
}

async function orReason<T>(act: () => T | Promise<T>): Promise<T | { readonly missing: string }> {
  try {
    return await act();
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

function readRuleset(): readonly string[] {
  const firewall = openFirewall();
  try {
    return formatRuleset(rulesetOf(firewall.read())).split('\n');
  } finally {
    firewall.close();
  }
}

interface ListedObjects {
  readonly objects: readonly ClusterObject[];
  /** Kinds that cannot be had, with the reason; and how many objects were too many. */
  readonly missing: readonly string[];
}

/** Trimmed as snapshots are: what decides about traffic, and nothing that could be secret. */
async function readObjects(api: ClusterApi): Promise<ListedObjects> {
  const { kinds } = await api.discover();
  const wanted = [...kinds.filter(({ kind }) => kind === 'Node' || isPolicyKind(kind)), NODE_ENFORCEMENT, ...STAGED_KINDS];
  const objects: ClusterObject[] = [];
  const missing: string[] = [];
  for (const kind of wanted) {
    const found = await orReason(() => listAll(api, kind));
    if ('missing' in found) missing.push(`${kind.kind}: ${found.missing}`);
    else objects.push(...found);
  }
  if (objects.length > OBJECTS_MAX) missing.push(`${objects.length - OBJECTS_MAX} objects more`);
  return { objects: objects.slice(0, OBJECTS_MAX), missing };
}

async function listAll(api: ClusterApi, kind: ServedKind): Promise<readonly ClusterObject[]> {
  let listed: ClusterObject[] = [];
  for await (const event of api.list(kind)) {
    if (event.kind === 'restart') listed = [];
    else listed.push(event.object);
  }
  return listed;
}

function answerOf(address: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const request = get(`http://${address}${path}`, { agent: false, timeout: ANSWER_MS_MAX }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text.length < ANSWER_CHARS_MAX ? (text += chunk) : answer.destroy()));
      answer.on('close', () => resolve(text));
    });
    request.on('timeout', () => request.destroy(new Error('nobody answers in time')));
    request.on('error', (error) => resolve(`missing: ${error.message}`));
  });
}
