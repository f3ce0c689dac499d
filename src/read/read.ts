// Turns manifests, as files or as a stream, into a cluster and findings about their text; whatever cannot be understood is a finding and opens nothing.
import { sortFindings, type Finding } from '../base/finding.ts';
import type { IpRange } from '../base/ip-address.ts';
import type { Cluster } from '../model/cluster.ts';
import { assembleCluster } from './assemble-cluster.ts';
import { addClusterPolicyFindings } from './policies/cluster-policy-findings.ts';
import { addFinding, findingsOf } from './values/finding-list.ts';
import { createGathering, type Gathering } from './objects/gathering.ts';
import { readObjects } from './documents/read-documents.ts';
import { addUnreadFindings, readObject } from './objects/read-object.ts';
import { settleOptions } from './values/read-settings.ts';
import type { KeepsWritten, WrittenObject } from './values/written-object.ts';

/** A file or a stream, read once from beginning to end. */
export interface ReadFile {
  /** As findings show it; `-` is standard input. */
  readonly name: string;
  /** The whole content in pieces. */
  chunks(): Iterable<Uint8Array>;
  /**
   * A cluster, or what was kept of one, onto which the other files are applied: an object of theirs takes the place of the
   * one here of the same kind, namespace and name, and where it changes a workload's pods, the place of the pods as well.
   */
  readonly isBase?: boolean;
}

/** One whose size is known beforehand. */
export interface SourceFile extends ReadFile {
  readonly sizeBytes: number;
}

export interface ReadOptions {
  /** `-n`: for objects that name no namespace; one that names another is an error. */
  readonly defaultNamespace?: string;
  /** Reads on where something cannot be understood; each such place is a warning that says what is left out. */
  readonly lenient?: boolean;
  /** `--pod-cidr`. */
  readonly podRanges?: readonly IpRange[];
  /** Bound for one document of YAML, one value or list item of JSON; `FILE_BYTES_MAX` when missing. */
  readonly fileBytesMax?: number;
  /** Gives the objects of the files as well, as they were written: all, and most of the text stays in memory then, or those that it holds for. */
  readonly keepsWritten?: KeepsWritten;
}

export interface ReadResult {
  readonly cluster: Cluster;
  /** Sorted by file and position. An error among them: the cluster lacks something, and nothing may be concluded from it. */
  readonly findings: readonly Finding[];
  /** Those that have a name, in the order of the files, of a base none; empty unless they were asked for. */
  readonly written: readonly WrittenObject[];
  /** Whether an object says in which namespace it stands; else all of them are where the reader puts them. */
  readonly namesNamespaces: boolean;
}

/** Reads as `kubectl` 1.34 does. Throws for no input whatever; what `chunks()` throws passes through. */
export function readManifests(files: readonly ReadFile[], options: ReadOptions = {}): ReadResult {
  const gathering = createGathering(settleOptions(options));
  for (const file of files) if (file.isBase !== true) readFile(gathering, file);
  for (const file of files) if (file.isBase === true) readFile(gathering, file);
  addUnreadFindings(gathering);
  if (files.length > 0 && gathering.objectCount === 0 && gathering.findings.kept.length === 0) addNoObjects(gathering, files);
  const cluster = assembleCluster(gathering);
  addClusterPolicyFindings(gathering.findings, cluster);
  return { cluster, findings: sortFindings(findingsOf(gathering.findings)), written: gathering.written ?? [], namesNamespaces: gathering.namesNamespaces };
}

export function sourceFromText(name: string, text: string): SourceFile {
  const bytes = new TextEncoder().encode(text);
  return { name, sizeBytes: bytes.length, chunks: () => [bytes] };
}

/** Text of streamed list items that is kept to show places in it, in UTF-16 units. */
const KEPT_TEXT_MAX = 16 * 1024 * 1024;

function readFile(gathering: Gathering, file: ReadFile): void {
  gathering.isInBase = file.isBase === true;
  for (const loose of readObjects(file, gathering.settings, gathering.findings)) {
    const shown = countShown(gathering);
    readObject(gathering, loose);
    if (!loose.isStreamed || gathering.settings.keepsWritten === true || countShown(gathering) > shown) continue;
    gathering.keptText += loose.textLength;
    if (gathering.keptText > KEPT_TEXT_MAX) loose.document.forget();
  }
}

/** Objects at which findings may still be made. */
function countShown({ policies, clusterPolicies, written }: Gathering): number {
  return policies.length + clusterPolicies.length + (written?.length ?? 0);
}

function addNoObjects(gathering: Gathering, files: readonly ReadFile[]): void {
  const names = files.length === 1 ? `\`${files[0]!.name}\`` : `the ${files.length} files`;
  addFinding(gathering.findings, {
    code: 'no-objects',
    severity: 'error',
    message: `there is no Kubernetes object in ${names}`,
    ...(files.length === 1 ? { file: files[0]!.name } : {}),
    help: 'name files that hold manifests',
  });
}
