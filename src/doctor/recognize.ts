// Which engine a DaemonSet belongs to: by its name, else by the images it runs.
import type { ContainerFacts, DaemonSetFacts } from './facts.ts';
import type { EngineKnowledge } from './knowledge.ts';
import { imageRepository } from './versions.ts';

/** More than one where an engine runs as a container in the DaemonSet of another. */
export function enginesOf(daemonSet: Pick<DaemonSetFacts, 'name' | 'containers'>, engines: readonly EngineKnowledge[]): readonly EngineKnowledge[] {
  const found = engines.filter(({ recognized }) => recognized.daemonSets?.includes(daemonSet.name) === true || daemonSet.containers.some((container) => runsImage(container, recognized.images ?? [])));
  const included = new Set(found.flatMap(({ includes = [] }) => includes));
  return found.filter(({ name }) => !included.has(name));
}

function runsImage({ image }: ContainerFacts, ends: readonly string[]): boolean {
  const repository = imageRepository(image);
  return ends.some((end) => repository === end || repository.endsWith(`/${end}`));
}
