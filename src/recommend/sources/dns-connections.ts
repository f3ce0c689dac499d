// Who finds others by name needs the cluster's DNS.
import { portSetOf, unionPorts, type PortSet } from '../../base/port-set.ts';
import { parseIpAddress } from '../../base/ip-address.ts';
import { isDnsPod } from '../../analyze/dns-pods.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Connection, End } from '../ends/connection.ts';
import { labelSelector } from '../ends/label-selector.ts';
import type { Subjects } from '../ends/subjects.ts';

/** Those to an address need no name, and neither does who finds the others otherwise, as controllers and scrapers do. */
export function connectionsToDns(cluster: Cluster, subjects: Subjects, found: readonly Connection[]): readonly Connection[] {
  const ends = dnsEnds(cluster, subjects);
  const byName = found.filter(({ source, target, isByName }) => isByName && source.kind === 'subject' && !(target.kind === 'addresses' && parseIpAddress(target.name) !== undefined));
  const sources = Map.groupBy(byName, ({ source }) => (source.kind === 'subject' ? source.subject : undefined));
  return [...sources.keys()].flatMap((subject) =>
    subject === undefined ? [] : ends.flatMap(({ end, ports }): Connection[] => (end.kind === 'subject' && end.subject === subject ? [] : [{ source: { kind: 'subject', subject }, target: end, ports, witnesses: [], isByName: false, decision: undefined }])),
  );
}

/** Those of the input; else those that nearly every cluster has (kubeadm, EKS, GKE, AKS, k3s). */
function dnsEnds({ pods }: Cluster, subjects: Subjects): readonly { readonly end: End; readonly ports: PortSet }[] {
  const own = [...pods.keys()].filter((index) => isDnsPod(pods[index]!));
  const found = [...new Set(own.flatMap((index) => subjects.of(index) ?? []))];
  if (found.length === 0) return [{ end: USUAL_DNS, ports: dnsPorts(53) }];
  return found.map((subject) => {
    // OpenShift's listen on another port than their Service has (openshift/cluster-dns-operator).
    const listed = subject.pods.flatMap((index) => pods[index]!.ports).filter(({ protocol, port }) => protocol === 'UDP' && (port === 53 || port === 5353));
    return { end: { kind: 'subject', subject }, ports: (listed.length === 0 ? [53] : listed.map(({ port }) => port)).map(dnsPorts).reduce(unionPorts) };
  });
}

const USUAL_DNS: End = { kind: 'pods', name: 'DNS', namespace: 'kube-system', selectors: [labelSelector([['k8s-app', 'kube-dns']])] };

function dnsPorts(port: number): PortSet {
  return unionPorts(portSetOf('UDP', port, port), portSetOf('TCP', port, port));
}
