// The manifests that put the agent onto the nodes of a cluster, as they are shipped, with the image that is asked for.
import { readdirSync, readFileSync } from 'node:fs';
import { packageVersion } from './package-version.ts';

const FOLDER = new URL('../../deploy/', import.meta.url);

/** CustomResourceDefinitions first. */
export function agentManifests(image = `bulkhead:${packageVersion()}`): string {
  const agent = readFileSync(new URL('agent.yaml', FOLDER), 'utf8');
  return [...definitions(), agent.replace('image: bulkhead\n', `image: ${image}\n`)].join('---\n');
}

function definitions(): readonly string[] {
  const folder = new URL('crds/', FOLDER);
  return readdirSync(folder).sort().map((file) => readFileSync(new URL(file, folder), 'utf8'));
}

/** What `image:` takes without quotes, and a registry takes as a name. */
export function isImageName(word: string): boolean {
  return /^[a-z0-9][a-z0-9._/:@-]*$/i.test(word) && word.length <= 512;
}
