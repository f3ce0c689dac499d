// What a report takes beside the policies: what enforces them, releases, scopes, results of tests, and what was not read.
import { readFileSync } from 'node:fs';
import { diagnose, type Diagnosis } from '../../doctor/doctor.ts';
import { factsInSnapshot } from '../../doctor/kept-facts.ts';
import { loadKnowledge } from '../../doctor/known-engines.ts';
import { readFacts } from '../../doctor/read-facts.ts';
import { parseScope, type Scope } from '../../evidence/scope.ts';
import { readTestRun, type TestRun } from '../../evidence/test-results.ts';
import type { InputOptions } from '../../input/input-options.ts';
import type { Input } from '../../input/input.ts';
import { systemWords } from '../../input/list-inputs.ts';
import { openSettings } from '../../input/settings-file.ts';
import type { ClusterApi } from '../../kube/cluster-api.ts';
import type { KeptRelease } from '../../release/release-record.ts';
import { listReleases } from '../../release/release-store.ts';
import { isFailure, UnreadableInput } from '../../terminal/failures.ts';
import { countOf } from '../../report/text/truth-table.ts';

/** What a cluster or its snapshot tells beside its policies; empty of manifests alone. */
export interface ClusterTold {
  readonly diagnosis: Diagnosis | undefined;
  readonly releases: readonly KeptRelease[] | undefined;
  /** Why some of it is missing, in sentences without a final stop. */
  readonly unread: readonly string[];
}

/** What the user may not read is said, and left out. */
export async function askCluster({ cluster, snapshot, context, kubeconfig }: InputOptions, { keepIn, now }: { readonly keepIn: string; readonly now: Date }): Promise<ClusterTold> {
  if (snapshot !== undefined) return { diagnosis: diagnosisOf(snapshot), releases: undefined, unread: [] };
  if (cluster !== true) return { diagnosis: undefined, releases: undefined, unread: [] };
  const { openKubeApi } = await import('../../kube/kube-api.ts');
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  const diagnosis = await orRefusal(async () => diagnose(await readFacts(api, loadKnowledge(), now), loadKnowledge()), 'what enforces policies was not read');
  const releases = await orRefusal(() => readReleases(api, keepIn), 'the history of releases was not read');
  return { diagnosis: diagnosis.value, releases: releases.value, unread: [...diagnosis.unread, ...releases.unread] };
}

function readReleases(api: ClusterApi, keepIn: string): Promise<readonly KeptRelease[]> {
  return listReleases(api, keepIn);
}

async function orRefusal<Value>(read: () => Promise<Value>, what: string): Promise<{ readonly value: Value | undefined; readonly unread: readonly string[] }> {
  try {
    return { value: await read(), unread: [] };
  } catch (error) {
    if (!isFailure(error) || error.code !== 'forbidden') throw error;
    return { value: undefined, unread: [`${what}: ${error.message}`] };
  }
}

/** undefined: the snapshot does not tell, for it is an old one, or of manifests. */
function diagnosisOf(snapshot: string): Diagnosis | undefined {
  const facts = snapshot === '-' ? undefined : factsInSnapshot(readText(snapshot));
  return facts === undefined ? undefined : diagnose(facts, loadKnowledge());
}

/** Those of the settings file, then those of the command line. Throws WordError for a sentence that is none. */
export async function readScopes(sentences: readonly string[], options: InputOptions): Promise<readonly Scope[]> {
  return [...((await openSettings(options))?.scopes ?? []), ...sentences.map(parseScope)];
}

/** In the order given. */
export function readTestRuns(files: readonly string[]): readonly TestRun[] {
  return files.map((file) => readTestRun(file, readText(file)));
}

/** Why more may be there than the answer knows of. */
export function unreadOf({ textFindings }: Input, { cluster, namespace, lenient }: InputOptions): readonly string[] {
  const refused = textFindings.filter(({ code, severity }) => code === 'not-listed' && severity === 'warning').map(({ message }) => message);
  const doubtful = textFindings.filter(({ code, severity }) => code !== 'not-listed' && severity === 'warning').length;
  return [
    ...refused,
    ...(cluster === true && namespace !== undefined ? [`of the cluster only the namespace ${namespace} was read`] : []),
    ...(lenient === true && doubtful > 0 ? [`it was read leniently, with ${countOf(doubtful, 'warning')} about the text`] : []),
  ];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UnreadableInput(file, systemWords(error));
  }
}
