// The words for an end of a connection: `ns/name`, `svc/ns/name:port`, `app=web`, a CIDR, `internet`.
import { portSetOf, unionPorts, type PortSet } from '../base/port-set.ts';
import { selects, type Selector } from '../model/selector.ts';
import type { Pod, Service, ServicePort } from '../model/cluster.ts';
import type { Program } from '../compile/program.ts';
import { quadKey, quadOf } from '../analyze/endpoint.ts';
import type { EndpointRef } from '../analyze/endpoint.ts';
import { listEndpoints, type PlacedEndpoint } from '../analyze/endpoints.ts';
import { nearestWord } from '../base/near-miss.ts';
import { internetRanges, parseRange, rangeEnds } from './address-words.ts';
import { UsageError } from './failures.ts';
import type { NamedEnd, NamedEnds } from './named-ends.ts';

const HELP = 'write namespace/name of a workload or pod, svc/namespace/name:port, key=value, a CIDR, or internet';

/** Throws UsageError for a word that names nothing here, with the near miss. */
export function findEnds(program: Program, word: string): NamedEnds {
  if (word === 'internet') return rangeEnds(program, word, internetRanges(program.cluster));
  const range = parseRange(word);
  if (range !== undefined) return rangeEnds(program, word, [range]);
  if (word.startsWith('svc/')) return serviceEnds(program, word);
  if (word.includes('=')) return selectorEnds(program, word);
  return placedEnds(program, word);
}

/** First as `reach` names workloads, then as it names pods; a name without its `#1` or kind stands for all that share it. */
function placedEnds(program: Program, word: string): NamedEnds {
  const workloads = listEndpoints(program, 'workload').filter(({ range }) => range === undefined);
  const pods = listEndpoints(program, 'pod').filter(({ range }) => range === undefined);
  for (const placed of [workloads, pods]) {
    const exact = placed.filter(({ endpoint }) => endpoint.id === word);
    const found = exact.length > 0 ? exact : placed.filter((candidate) => plainName(candidate) === word);
    if (found.length > 0) return podEnds(program, found.flatMap(({ podIndices }) => podIndices), undefined);
  }
  const names = [...workloads, ...pods].map(plainName);
  const near = nearestWord(word, names) ?? names.find((name) => name.endsWith(`/${word}`));
  throw new UsageError(`nothing here is called \`${word}\``, near === undefined ? HELP : `did you mean ${near}?`);
}

function plainName({ endpoint }: PlacedEndpoint): string {
  return 'namespace' in endpoint ? `${endpoint.namespace}/${endpoint.name}` : endpoint.id;
}

function selectorEnds(program: Program, word: string): NamedEnds {
  const requirements = word.split(',').map((term) => {
    const [key = '', value = ''] = term.split(/==?/, 2);
    return { kind: 'In', key: key.trim(), values: [value.trim()] } as const;
  });
  const selector: Selector = { requirements };
  const found = [...program.cluster.pods.keys()].filter((index) => selects(selector, program.cluster.pods[index]!));
  if (found.length === 0) throw new UsageError(`no pod has the labels \`${word}\``, 'a selector here is key=value, several joined by commas');
  return podEnds(program, found, undefined);
}

function serviceEnds(program: Program, word: string): NamedEnds {
  const [, namespace = '', nameAndPort = ''] = word.split('/');
  const [name = '', portWord] = nameAndPort.split(':');
  const { services, pods } = program.cluster;
  const service = services.find((candidate) => candidate.namespace === namespace && candidate.name === name);
  if (service === undefined) {
    const near = nearestWord(`svc/${namespace}/${name}`, services.map((candidate) => `svc/${candidate.namespace}/${candidate.name}`));
    throw new UsageError(`there is no Service \`${namespace}/${name}\``, near === undefined ? HELP : `did you mean ${near}?`);
  }
  const found = [...pods.keys()].filter((index) => selectsPod(service, pods[index]!));
  if (found.length === 0) throw new UsageError(`the Service \`${namespace}/${name}\` leads to no pod`, 'its selector matches no pod of its namespace');
  const ports = servicePorts(service, portWord).reduce<PortSet>(
    (set, port) => unionPorts(set, targetPorts(port, found.map((index) => pods[index]!))),
    [],
  );
  return podEnds(program, found, ports);
}

function selectsPod(service: Service, pod: Pod): boolean {
  if (service.selector === undefined || service.namespace !== pod.namespace) return false;
  return [...service.selector].every(([key, value]) => pod.labels.get(key) === value);
}

function servicePorts(service: Service, word: string | undefined): readonly ServicePort[] {
  if (word === undefined) return service.ports;
  const ports = service.ports.filter((port) => port.name === word || `${port.port}` === word);
  if (ports.length > 0) return ports;
  const known = service.ports.map((port) => `${port.port}${port.name === undefined ? '' : ` (${port.name})`}`).join(', ');
  throw new UsageError(`the Service \`${service.namespace}/${service.name}\` has no port \`${word}\``, `it has ${known === '' ? 'no ports' : known}`);
}

function targetPorts(port: ServicePort, pods: readonly Pod[]): PortSet {
  const { targetPort, protocol } = port;
  if (typeof targetPort === 'number') return portSetOf(protocol, targetPort, targetPort);
  const named = pods.flatMap((pod) => pod.ports).filter((candidate) => candidate.name === targetPort && candidate.protocol === protocol);
  return named.reduce<PortSet>((set, candidate) => unionPorts(set, portSetOf(protocol, candidate.port, candidate.port)), []);
}

/** One end per way in which policies treat the pods. */
function podEnds(program: Program, indices: readonly number[], ports: PortSet | undefined): NamedEnds {
  const { pods } = program.cluster;
  const ends = new Map<string, NamedEnd>();
  for (const index of indices) {
    const ref: EndpointRef = { kind: 'pod', pod: index };
    const key = `${quadKey(quadOf(program, ref))} ${pods[index]!.nodeName ?? ''} ${pods[index]!.hostNetwork}`;
    if (!ends.has(key)) ends.set(key, { label: `${pods[index]!.namespace}/${pods[index]!.name}`, ref });
  }
  return { ends: [...ends.values()], pods: indices.map((index) => pods[index]!), ports };
}
