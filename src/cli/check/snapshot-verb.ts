// `bulkhead snapshot`: what decides about traffic in a cluster, kept in a file that every verb takes in its place.
import type { Command } from 'commander';
import { hasErrors } from '../../base/finding.ts';
import { readManifests, type ReadFile } from '../../read/read.ts';
import { entriesOfFiles } from '../../kube/snapshot-files.ts';
import { compareEntries, snapshotText, type SnapshotEntry } from '../../kube/snapshot.ts';
import { addInputOptions, type InputOptions } from '../../input/input-options.ts';
import { isFailure } from '../../terminal/failures.ts';
import { writeAnswer, writeNote } from '../../terminal/output.ts';
import { openInputs, readOptionsOf } from '../../input/input.ts';
import { writeFindings } from '../../terminal/write-findings.ts';

export function defineSnapshot(command: Command): void {
  addInputOptions(command.argument('[PATH...]', 'the same as -f'))
    .addHelpText('after', `
Kept are the fields that decide about traffic: labels, selectors, ports, addresses, policies.
Left away are images, commands, environment, volumes, data and annotations, so nothing in it is secret;
of the engine that enforces the policies, its images and its own switches are kept, for \`bulkhead doctor --snapshot\`.
The same cluster gives the same bytes.

Examples:
  bulkhead snapshot --cluster > monday.json
  bulkhead reach --snapshot monday.json
  bulkhead diff monday.json cluster`)
    .action(async (paths: readonly string[], options: InputOptions) => {
      process.exitCode = await runSnapshot([...(options.file ?? []), ...paths], options);
    });
}

async function runSnapshot(words: readonly string[], options: InputOptions): Promise<number> {
  const opened = await openInputs(words, { ...options, withCallers: true });
  const readFiles = opened.readFiles.map(readOnce);
  const findings = [...(opened.findings ?? []), ...readManifests(readFiles, readOptionsOf(options)).findings];
  await writeFindings(findings.filter(({ severity }) => severity !== 'info'), opened);
  // What a cluster holds is kept as it is, also where it is not understood: whoever reads the snapshot hears the same.
  const bases = new Set(readFiles.flatMap(({ name, isBase }) => (isBase === true ? [name] : [])));
  if (hasErrors(findings.filter(({ file }) => file === undefined || !bases.has(file)))) {
    await writeNote('bulkhead: nothing was written: a snapshot of what cannot be understood would hide it\n');
    return 2;
  }
  const entries = entriesOfFiles(readFiles, options.namespace === undefined ? {} : { defaultNamespace: options.namespace });
  await writeAnswer(snapshotText([...entries, ...(await engineEntries(options))].sort(compareEntries)));
  return 0;
}

/** What tells which engine enforces the policies; left out where the user may not see that, or reads one namespace. */
async function engineEntries({ cluster, context, kubeconfig, namespace }: InputOptions): Promise<readonly SnapshotEntry[]> {
  if (cluster !== true || namespace !== undefined) return [];
  const [{ openKubeApi }, { readFacts }, { loadKnowledge }, { factsEntry }] = await Promise.all([import('../../kube/kube-api.ts'), import('../../doctor/read-facts.ts'), import('../../doctor/known-engines.ts'), import('../../doctor/kept-facts.ts')]);
  const api = await openKubeApi({ ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  try {
    return [factsEntry(await readFacts(api, loadKnowledge(), new Date()))];
  } catch (error) {
    if (!isFailure(error) || error.code !== 'forbidden') throw error;
    await writeNote(`bulkhead: left out is what \`bulkhead doctor\` would read: ${error.message}\n`);
    return [];
  }
}

/** Standard input can be read once, and is read twice here: to hold it against the API, and to keep it. */
function readOnce(file: ReadFile): ReadFile {
  if (file.name !== 'standard input') return file;
  let kept: readonly Uint8Array[] | undefined;
  return { ...file, chunks: () => (kept ??= [...file.chunks()].map((chunk) => chunk.slice())) };
}
