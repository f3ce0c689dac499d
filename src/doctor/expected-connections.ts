// What a state of a case allows, computed by the same Program that every other answer is from.
import { formatIpAddress } from '../base/ip-address.ts';
import { hasPoint, pointOf } from '../base/port-set.ts';
import { readManifests, sourceFromText } from '../read/read.ts';
import { compileCluster } from '../compile/compile.ts';
import { allowedPorts } from '../analyze/decide.ts';
import type { CaseState, ConformanceCase, ConformancePods } from './conformance-cases.ts';
import type { Expected } from './observe.ts';
import { PROBE_PORTS } from './probe-pods.ts';

/** Each pair of the subject with another pod, each port that is served, each family. */
export function expectedConnections(state: CaseState, pods: ConformancePods, direction: ConformanceCase['direction']): readonly Expected[] {
  const { program, indexOf } = programOf(state, pods);
  const peers = [pods.near, pods.mate, pods.far];
  return peers.flatMap((peer) => {
    const [source, target] = direction === 'ingress' ? [peer, pods.subject] : [pods.subject, peer];
    return target.addresses.flatMap(({ family }) => {
      const ports = allowedPorts(program, { kind: 'pod', pod: indexOf(source.name) }, { kind: 'pod', pod: indexOf(target.name) }, family);
      return PROBE_PORTS.slice(0, 3).map(({ protocol, port }): Expected => ({ source, target, protocol, port, family, isAllowed: hasPoint(ports, pointOf(protocol, port)) }));
    });
  });
}

function programOf({ spec, labels }: CaseState, { subject, near, mate, far }: ConformancePods): { readonly program: ReturnType<typeof compileCluster>; readonly indexOf: (name: string) => number } {
  const pod = ({ namespace, name, addresses }: ConformancePods['subject'], own: Readonly<Record<string, string>>): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: own },
    spec: { containers: [{ name: 'serve', image: 'x', ports: PROBE_PORTS.map(({ name: portName, protocol, port }) => ({ name: portName, containerPort: port, protocol })) }] },
    status: { podIP: formatIpAddress(addresses[0]!), podIPs: addresses.map((address) => ({ ip: formatIpAddress(address) })) },
  });
  const namespaces = [...new Set([subject.namespace, far.namespace])].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: name === far.namespace ? { team: 'far' } : {} } }));
  const policies = spec === undefined ? [] : [{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace: subject.namespace, name: 'case' }, spec }];
  const items = [...namespaces, pod(subject, { role: 'subject' }), pod(near, labels.near), pod(mate, labels.mate), pod(far, labels.far), ...policies];
  const { cluster } = readManifests([sourceFromText('conformance', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))]);
  return { program: compileCluster(cluster), indexOf: (name) => cluster.pods.findIndex((one) => one.name === name) };
}
