// From the files of `apply` to the policies that it writes.
import { hasErrors } from '../../base/finding.ts';
import { WordError } from '../../base/word-error.ts';
import { readManifests } from '../../read/read.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import type { WantedObject } from '../../kube/cluster-api.ts';
import { REAL_FORM } from '../../stage/read-staged.ts';
import { RELEASE_LABEL } from '../../release/release-record.ts';
import { authored, placeLabel, placeOfObject, releaseKind } from '../../release/release-object.ts';
import { policyLabel, type AnyPolicy } from '../../release/release.ts';
import type { LineLookup } from '../../report/findings/finding-text.ts';
import { wordsOrStdin } from '../../input/input.ts';
import type { SettingsOption } from '../../input/settings-file.ts';
import { listInputs } from '../../input/list-inputs.ts';
import { openFiles } from '../../input/open-files.ts';
import { writeNote } from '../../terminal/output.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

export interface WantedPolicies {
  readonly objects: readonly WantedObject[];
  /** As the files have them, by label. */
  readonly ofFiles: ReadonlyMap<string, AnyPolicy>;
  readonly lineOf: LineLookup;
}

export interface WantedOptions extends SettingsOption {
  readonly namespace?: string;
  readonly release: string;
  readonly stage?: boolean;
}

/** undefined: the files could not be understood, which has been said. Throws WordError where they hold no policy. */
export async function readWanted(words: readonly string[], { namespace, release, stage = false, ...options }: WantedOptions): Promise<WantedPolicies | undefined> {
  const opened = openFiles(listInputs(await wordsOrStdin(words, options)));
  const { cluster, written, findings } = readManifests(opened.readFiles, { ...(namespace === undefined ? {} : { defaultNamespace: namespace }), keepsWritten: true });
  await writeFindings(findings.filter(({ severity }) => severity !== 'info'), opened);
  if (hasErrors(findings)) {
    await writeNote('bulkhead: nothing was judged: mend the errors above first; `bulkhead lint --fix` mends what it can\n');
    return undefined;
  }
  const policies = written.filter((object) => releaseKind(object) !== undefined);
  if (policies.length === 0) throw new WordError('there is no policy in what was read', 'name files with policies; kubectl applies everything else');
  if (policies.length < written.length) await writeNote(`bulkhead: ${written.length - policies.length} other objects of the files are left to kubectl, and the judgment is about what runs in the cluster\n`);
  const objects = policies.map((policy) => wantedObject(policy, { release, stage }));
  const ofFiles = new Map([...cluster.policies, ...cluster.clusterPolicies].map((policy) => [policyLabel(policy), policy]));
  return { objects, ofFiles, lineOf: opened.lineOf };
}

function wantedObject({ apiVersion, kind, namespace, name, map }: WrittenObject, { release, stage }: { readonly release: string; readonly stage: boolean }): WantedObject {
  const metadata = (map['metadata'] ?? {}) as WantedObject['metadata']; // reading has looked at it
  const isNamespaced = releaseKind({ apiVersion, kind })!.isNamespaced; // it is one of them
  const object = authored({ ...map, apiVersion, kind, metadata: { ...metadata, name, ...(isNamespaced ? { namespace } : {}) } });
  const labels = { ...(metadata['labels'] as object | undefined), [RELEASE_LABEL]: release };
  const named = { ...object, metadata: { ...object.metadata, labels } };
  return stage ? stagedObject(named) : named;
}

/** Throws WordError for a kind that cannot be staged. */
function stagedObject(object: WantedObject): WantedObject {
  if (object.apiVersion.startsWith('bulkhead.dev/')) return object;
  const form = Object.entries(REAL_FORM).find(([, real]) => real.kind === object.kind);
  if (form === undefined) throw new WordError(`${placeLabel(placeOfObject(object))} cannot be staged`, 'bulkhead convert makes a ClusterNetworkPolicy of it, which can');
  const [kind, { field }] = form;
  return { apiVersion: 'bulkhead.dev/v1alpha1', kind, metadata: object.metadata, spec: { [field]: object['spec'] ?? {} } };
}
