// The words of comments and names that patterns share.
import { formatSelector, type Selector } from '../model/selector.ts';
import type { Direction, PortMatch } from '../model/network-policy.ts';
import { EVERY_NAMESPACE, type Answers, type PodPlace } from './answers.ts';

/** `all pods of shop`, `the pods of shop with app=web` */
export function subjectWords({ namespace, podSelector }: Answers): string {
  return podSelector.requirements.length === 0 ? `all pods of ${namespace}` : `the pods of ${namespace} with ${formatSelector(podSelector)}`;
}

function placeWords({ namespace, podSelector }: PodPlace): string {
  const where = namespace === EVERY_NAMESPACE ? 'every namespace' : namespace;
  return podSelector.requirements.length === 0 ? `the pods of ${where}` : `the pods of ${where} with ${formatSelector(podSelector)}`;
}

/** `own`: the policy's namespace. */
export function placesWords(places: readonly PodPlace[], own = 'the same namespace'): string {
  return places.map((place) => placeWords({ ...place, namespace: place.namespace ?? own })).join(', and ');
}

/** ` on TCP 5432`, or nothing where every port is meant. */
export function onPorts(ports: readonly PortMatch[]): string {
  return ports.length === 0 ? '' : ` on ${ports.map(portWords).join(', ')}`;
}

export function portWords(port: PortMatch): string {
  switch (port.kind) {
    case 'protocol':
      return `all of ${port.protocol}`;
    case 'named':
      return `${port.protocol} \`${port.name}\``;
    case 'range':
      return `${port.protocol} ${port.first === port.last ? port.first : `${port.first}-${port.last}`}`;
  }
}

/** What an allowing policy closes as well, which is what people do not expect of one. */
export function alsoCloses(directions: readonly Direction[]): string {
  const what = directions.length === 2 ? 'Whatever else they receive or send' : directions[0] === 'ingress' ? 'Whatever else they receive' : 'Whatever else they send';
  return `${what} is refused from now on, unless another policy allows it.`;
}

const NAME_LENGTH_MAX = 63;

/** `db-allow-from-shop`: what is selected by one value of a label stands first, so that two policies of a pattern do not take each other's place. */
export function policyName({ podSelector }: Pick<Answers, 'podSelector'>, base: string): string {
  return [...selectorNames(podSelector), base].join('-').toLowerCase().replace(/[^a-z0-9]+/g, (run) => (run === '.' ? run : '-')).slice(0, NAME_LENGTH_MAX).replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}

/** `monitoring`, `blog-web`, `every-namespace` */
export function placesName(places: readonly PodPlace[]): string {
  const names = places.flatMap(({ namespace, podSelector }) => [...(namespace === undefined ? [] : [namespace === EVERY_NAMESPACE ? 'every-namespace' : namespace]), ...selectorNames(podSelector)]);
  return [...new Set(names)].join('-') || 'same-namespace';
}

function selectorNames({ requirements }: Selector): string[] {
  return requirements.flatMap((requirement) => (requirement.kind === 'In' ? requirement.values.filter((value) => value !== '') : [requirement.key.replace(/^.*\//, '')]));
}
