// The manifests that put the agent onto the nodes of a cluster, as they are shipped, with the image and the switch that are asked for.
import { readdirSync, readFileSync } from 'node:fs';
import { packageVersion } from '../package-version.ts';

const FOLDER = new URL('../../../deploy/', import.meta.url);

export interface ManifestOptions {
  /** That the nodes pull; by the package's version when missing. */
  readonly image?: string;
  /** Whether the prober stands behind the agent. */
  readonly probing?: boolean;
  readonly allowsAudit?: boolean;
}

/** CustomResourceDefinitions first. */
export function agentManifests({ image = `bulkhead:${packageVersion()}`, probing = false, allowsAudit = false }: ManifestOptions = {}): string {
  const files = probing ? ['agent.yaml', 'prober.yaml'] : ['agent.yaml'];
  const pods = files.map((file) => readFileSync(new URL(file, FOLDER), 'utf8').replace('image: bulkhead\n', `image: ${image}\n`));
  const [agent, ...others] = pods as [string, ...string[]];
  return [...definitions(), allowsAudit ? agent.replace('args: [agent, ', 'args: [agent, --allow-audit, ') : agent, ...others].join('---\n');
}

function definitions(): readonly string[] {
  const folder = new URL('crds/', FOLDER);
  return readdirSync(folder).sort().map((file) => readFileSync(new URL(file, folder), 'utf8'));
}

/** What `image:` takes without quotes, and a registry takes as a name. */
export function isImageName(word: string): boolean {
  return /^[a-z0-9][a-z0-9._/:@-]*$/i.test(word) && word.length <= 512;
}
