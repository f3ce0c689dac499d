// The manifests that put the agent onto the nodes of a cluster, as they are shipped, with the image that is asked for.
import { readdirSync, readFileSync } from 'node:fs';
import { packageVersion } from './package-version.ts';

const FOLDER = new URL('../../deploy/', import.meta.url);

export interface ManifestOptions {
  /** That the nodes pull; by the package's version when missing. */
  readonly image?: string;
  /** Whether the prober stands behind the agent. */
  readonly probing?: boolean;
}

/** CustomResourceDefinitions first. */
export function agentManifests({ image = `bulkhead:${packageVersion()}`, probing = false }: ManifestOptions = {}): string {
  const files = probing ? ['agent.yaml', 'prober.yaml'] : ['agent.yaml'];
  const pods = files.map((file) => readFileSync(new URL(file, FOLDER), 'utf8').replace('image: bulkhead\n', `image: ${image}\n`));
  return [...definitions(), ...pods].join('---\n');
}

function definitions(): readonly string[] {
  const folder = new URL('crds/', FOLDER);
  return readdirSync(folder).sort().map((file) => readFileSync(new URL(file, folder), 'utf8'));
}

/** What `image:` takes without quotes, and a registry takes as a name. */
export function isImageName(word: string): boolean {
  return /^[a-z0-9][a-z0-9._/:@-]*$/i.test(word) && word.length <= 512;
}
