// Whether a cluster has what a pattern was told: a name that nobody has makes a policy that protects nobody, or lets nobody in.
import { nearestWord } from '../base/near-miss.ts';
import type { Cluster, Pod, Service } from '../model/cluster.ts';
import { findNamespace } from '../model/find-namespace.ts';
import type { PortMatch } from '../model/network-policy.ts';
import { formatSelector } from '../model/selector.ts';
import { EVERY_NAMESPACE, type PodPlace, type Topic } from './answers.ts';
import { offerNamespaces, offerPorts, offerSelectors, podsAt } from './offer-names.ts';
import { portWords } from './pattern-words.ts';

export interface NameProblem {
  readonly topic: Topic;
  /** `missing`: nothing of the input bears the name; `doubtful`: it may be meant so. */
  readonly severity: 'missing' | 'doubtful';
  readonly message: string;
  readonly help: string;
}

/** Manifests: what is not in them may be elsewhere in the cluster, as the ingress controller mostly is. */
export interface NamedInput {
  readonly cluster: Cluster;
  /** Whether it is everything there is. */
  readonly isWhole: boolean;
}

/** A namespace of another end may be elsewhere, unless its name is nearly one that is here. */
export function checkNamespace({ cluster, isWhole }: NamedInput, topic: Topic, name: string): NameProblem[] {
  if (name === EVERY_NAMESPACE || findNamespace(cluster, name) !== undefined) return [];
  const names = offerNamespaces(cluster);
  const mayBeElsewhere = !isWhole && topic !== 'namespace' && nearestWord(name, names) === undefined;
  return [{ topic, severity: mayBeElsewhere ? 'doubtful' : 'missing', message: `the input has no namespace \`${name}\``, help: offer(name, names, 'it has') }];
}

/** Of a place whose namespace is there. */
export function checkPods(cluster: Cluster, topic: Topic, place: PodPlace): NameProblem[] {
  if (podsAt(cluster, place).length > 0) return [];
  const namespace = place.namespace === EVERY_NAMESPACE ? undefined : place.namespace;
  const where = namespace === undefined ? 'the input' : `\`${namespace}\``;
  const what = place.podSelector.requirements.length === 0 ? 'pods' : `pods with \`${formatSelector(place.podSelector)}\``;
  // What an operator makes is not in its manifests.
  const mayComeLater = cluster.unreadObjects.some((object) => namespace === undefined || object.namespace === namespace);
  return [{ topic, severity: mayComeLater ? 'doubtful' : 'missing', message: `${where} has no ${what}`, help: offer(formatSelector(place.podSelector), offerSelectors(cluster, namespace), 'there are') }];
}

/** Of pods that are there; `namespace` is theirs. */
export function checkPorts(cluster: Cluster, ports: readonly PortMatch[], pods: readonly Pod[]): NameProblem[] {
  if (pods.length === 0) return [];
  return ports.flatMap((port) => checkPort(cluster, port, pods));
}

function checkPort(cluster: Cluster, port: PortMatch, pods: readonly Pod[]): NameProblem[] {
  const declared = pods.flatMap((pod) => pod.ports).filter(({ protocol }) => protocol === port.protocol);
  if (port.kind === 'protocol') return [];
  if (port.kind === 'named' ? declared.some(({ name }) => name === port.name) : declared.some((one) => one.port >= port.first && one.port <= port.last)) return [];
  const offers = offerPorts(pods).map(({ word, name }) => (name === undefined ? word : `${word} (${name})`));
  const help = offers.length === 0 ? 'they declare none' : `they declare ${offers.join(', ')}`;
  if (port.kind === 'named') return [{ topic: 'port', severity: 'missing', message: `no pod that is meant has a port ${portWords(port)}, and a name that is found nowhere matches nothing`, help }];
  const service = serviceOn(cluster, port, pods);
  if (service === undefined) return [{ topic: 'port', severity: 'doubtful', message: `no pod that is meant declares ${portWords(port)}`, help }];
  return [{ topic: 'port', severity: 'doubtful', message: `${portWords(port)} is a port of the Service \`${service.namespace}/${service.name}\`, and policies judge the port of the pod behind it`, help }];
}

function serviceOn({ services }: Cluster, port: PortMatch & { readonly kind: 'range' }, pods: readonly Pod[]): Service | undefined {
  return services.find(({ namespace, selector, ports }) => {
    const isBehind = selector !== undefined && pods.some((pod) => pod.namespace === namespace && [...selector].every(([key, value]) => pod.labels.get(key) === value));
    return isBehind && ports.some((one) => one.protocol === port.protocol && one.port === port.first);
  });
}

/** Offers beyond these are counted. */
const OFFERS_MAX = 12;

function offer(word: string, names: readonly string[], verb: string): string {
  const near = nearestWord(word, names);
  if (near !== undefined) return `did you mean \`${near}\`?`;
  if (names.length === 0) return 'it has none';
  const rest = names.length - OFFERS_MAX;
  return `${verb} ${names.slice(0, OFFERS_MAX).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
