// Reads what a pod, or the template of one, says that decides about its traffic.
import type { ContainerPort } from '../../model/cluster.ts';
import type { Path } from '../../model/origin.ts';
import type { Labels } from '../../model/selector.ts';
import { readBoolean, readList, readMap, readText, REFUSED } from '../values/loose-value.ts';
import { refuse, type ObjectContext } from '../values/object-context.ts';
import { NO_LABELS, readLabels, type LabelCache } from '../values/read-labels.ts';
import { readPortNumber, readProtocol } from '../values/read-ports.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

export interface PodTemplate {
  readonly labels: Labels;
  readonly ports: readonly ContainerPort[];
  readonly hostNetwork: boolean;
}

export const EMPTY_TEMPLATE: PodTemplate = { labels: NO_LABELS, ports: [], hostNetwork: false };

/** A PodTemplateSpec: `metadata.labels` and `spec`. */
export function readPodTemplate(context: ObjectContext, cache: LabelCache, value: Value | undefined, path: Path): PodTemplate {
  const template = readMap(context, value, path);
  if (template === undefined || template === REFUSED) return EMPTY_TEMPLATE;
  const metadata = readMap(context, template['metadata'], [...path, 'metadata']);
  const labels = metadata === undefined || metadata === REFUSED ? NO_LABELS : readLabels(context, cache, metadata['labels'], [...path, 'metadata', 'labels']);
  return { labels, ...readPodSpec(context, template['spec'], [...path, 'spec']) };
}

export function readPodSpec(context: ObjectContext, value: Value | undefined, path: Path): Omit<PodTemplate, 'labels'> {
  const spec = readMap(context, value, path);
  if (spec === undefined || spec === REFUSED) return EMPTY_TEMPLATE;
  const hostNetwork = readBoolean(context, spec['hostNetwork'], [...path, 'hostNetwork']) === true;
  const ports = [
    ...readContainers(context, spec['containers'], [...path, 'containers'], () => true),
    ...readContainers(context, spec['initContainers'], [...path, 'initContainers'], isSidecar),
  ];
  return { ports, hostNetwork };
}

/** An init container that keeps running (Kubernetes, "Sidecar Containers"). */
function isSidecar(container: LooseMap): boolean {
  return container['restartPolicy'] === 'Always';
}

function readContainers(context: ObjectContext, value: Value | undefined, path: Path, isWanted: (container: LooseMap) => boolean): ContainerPort[] {
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return [];
  const ports: ContainerPort[] = [];
  for (const [index, item] of list.entries()) {
    const container = readMap(context, item, [...path, index]);
    if (container === undefined || container === REFUSED || !isWanted(container)) continue;
    ports.push(...readContainerPorts(context, container['ports'], [...path, index, 'ports']));
  }
  return ports;
}

function readContainerPorts(context: ObjectContext, value: Value | undefined, path: Path): ContainerPort[] {
  if (value === undefined) return [];
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return [];
  const ports: ContainerPort[] = [];
  for (const [index, item] of list.entries()) {
    const port = readContainerPort(context, item, [...path, index]);
    if (port !== undefined) ports.push(port);
  }
  return ports;
}

function readContainerPort(context: ObjectContext, value: Value, path: Path): ContainerPort | undefined {
  const map = readMap(context, value, path);
  if (map === REFUSED) return undefined;
  const port = readPortNumber(context, map?.['containerPort'], [...path, 'containerPort']);
  const protocol = readProtocol(context, map?.['protocol'] === '' ? undefined : map?.['protocol'], [...path, 'protocol']);
  const name = readText(context, map?.['name'], [...path, 'name']);
  if (port === undefined) refuse(context, path, 'invalid-port', 'a container port needs a `containerPort`');
  if (port === undefined || port === REFUSED || protocol === REFUSED || name === REFUSED) return undefined;
  return { name: name === '' ? undefined : name, protocol, port };
}
