// The ends that tests in a cluster may try: its pods with the ports that they declare or a test asks about, and addresses outside that somebody names.
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import { parseRange } from '../base/range-text.ts';
import type { Program } from '../compile/program.ts';
import { alikeKey } from '../analyze/named-ends.ts';
import type { OutsideTarget } from './cluster-under-test.ts';
import type { ProbeEndpoint, ProbePort } from './plan-probes.ts';
import type { PolicyTest } from './policy-test.ts';

/** Where a pod declares no port and a test names none, the prober listens on this one. */
const ANY_PORT = 8080;

/** Pods first, by their index. */
export function clusterEndpoints(program: Program, tests: readonly PolicyTest[], outside: readonly OutsideTarget[]): readonly ProbeEndpoint[] {
  const asked = askedPorts(tests);
  return [...podEndpoints(program, asked), ...outsideEndpoints([...outside, ...singleAddresses(program, tests, asked)])];
}

function podEndpoints(program: Program, asked: readonly ProbePort[]): ProbeEndpoint[] {
  const keyOf = alikeKey(program);
  return program.cluster.pods.map((pod, index): ProbeEndpoint => {
    const declared = pod.ports.filter(({ protocol }) => protocol !== 'SCTP');
    const ports = [...declared, ...asked];
    return { name: `${pod.namespace}/${pod.name}`, subject: { kind: 'pod', pod: index }, addresses: pod.addresses, group: keyOf(index), place: `${index}`, ports: distinct(ports.length > 0 ? ports : [{ protocol: 'TCP', port: ANY_PORT }]) };
  });
}

function distinct(ports: readonly ProbePort[]): readonly ProbePort[] {
  return [...new Map(ports.map(({ protocol, port }) => [`${protocol} ${port}`, { protocol, port }])).values()];
}

function outsideEndpoints(targets: readonly OutsideTarget[]): ProbeEndpoint[] {
  const byAddress = Map.groupBy(targets, ({ address }) => formatIpAddress(address));
  return [...byAddress].map(([name, own]): ProbeEndpoint => {
    const { address } = own[0]!;
    return { name, subject: { kind: 'address', address }, addresses: [address], group: name, place: `outside ${name}`, ports: distinct(own.map(({ port }) => ({ protocol: 'TCP', port }))) };
  });
}

/** Numbers that the tests ask about. */
function askedPorts(tests: readonly PolicyTest[]): readonly ProbePort[] {
  const words = tests.flatMap(({ expectations }) => expectations).flatMap(({ assertion }) => ('ports' in assertion ? (assertion.ports ?? []) : []));
  return distinct(words.flatMap((word): ProbePort[] => {
    const [, protocol = 'tcp', number = ''] = /^(?:(tcp|udp)\/)?([0-9]{1,5})(?:-[0-9]{1,5})?$/i.exec(word) ?? [];
    const port = Number(number);
    return number === '' || port < 1 || port > 65_535 ? [] : [{ protocol: protocol.toUpperCase() as 'TCP' | 'UDP', port }];
  }));
}

/** A test that names one address alone means that very one; of a range nobody knows whom it would disturb. */
function singleAddresses({ cluster }: Program, tests: readonly PolicyTest[], asked: readonly ProbePort[]): OutsideTarget[] {
  const own = new Set(cluster.pods.flatMap(({ addresses }) => addresses.map(formatIpAddress)));
  const words = tests.flatMap(({ expectations }) => expectations).flatMap(({ assertion }) => ('target' in assertion ? [assertion.target] : []));
  const ranges = words.flatMap((word) => (typeof word === 'string' ? (parseRange(word) ?? []) : []));
  const single = ranges.filter(({ first, last }) => first === last).map(({ family, first }): IpAddress => ({ family, value: first }));
  const ports = asked.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port);
  return single.filter((address) => !own.has(formatIpAddress(address))).flatMap((address) => ports.map((port) => ({ address, port })));
}
