// Reads texts for the tests, and says in short what came of them.
import type { Finding } from '../../src/base/finding.ts';
import { formatIpAddress } from '../../src/base/ip-address.ts';
import type { Pod } from '../../src/model/cluster.ts';
import type { NetworkPolicy, Peer, PolicyRule, PortMatch } from '../../src/model/network-policy.ts';
import { formatSelector } from '../../src/model/selector.ts';
import { readManifests, sourceFromText, type ReadOptions, type ReadResult } from '../../src/read/read.ts';

export function readText(text: string, options: ReadOptions = {}): ReadResult {
  return readManifests([sourceFromText('input.yaml', text)], options);
}

/** A policy of the namespace `shop` with this spec, two blanks deep. */
export function policyText(spec: string): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: web\n  namespace: shop\nspec:\n${spec}`;
}

/** `error invalid-port 9:13`, in the order of the findings. */
export function formatFindings(findings: readonly Finding[]): string[] {
  return findings.map(({ severity, code, range }) => `${severity} ${code}${range === undefined ? '' : ` ${range.start.line}:${range.start.column}`}`);
}

/** The whole meaning of a policy on one line. */
export function formatPolicy(policy: NetworkPolicy): string {
  return [
    `on ${formatSelector(policy.podSelector)}`,
    `in ${formatSection(policy.ingress)}`,
    `out ${formatSection(policy.egress)}`,
  ].join('; ');
}

function formatSection(rules: readonly PolicyRule[] | undefined): string {
  return rules === undefined ? 'free' : `[${rules.map(formatRule).join(' | ')}]`;
}

function formatRule({ peers, ports }: PolicyRule): string {
  const who = peers.kind === 'everybody' ? 'everybody' : peers.peers.map(formatPeer).join(' + ') || 'nobody';
  const what = ports.kind === 'every' ? 'every port' : ports.ports.map(formatPort).join(' + ') || 'no port';
  return `${who}: ${what}`;
}

function formatPeer(peer: Peer): string {
  if (peer.kind === 'ip-block') return peer.text;
  const scope = peer.namespaces.kind === 'own' ? 'own' : `ns(${formatSelector(peer.namespaces.selector)})`;
  return `${scope}/${formatSelector(peer.podSelector)}`;
}

function formatPort(port: PortMatch): string {
  if (port.kind === 'protocol') return port.protocol;
  if (port.kind === 'named') return `${port.protocol} ${port.name}`;
  return port.first === port.last ? `${port.protocol} ${port.first}` : `${port.protocol} ${port.first}-${port.last}`;
}

/** `shop/Deployment/web web x3 {app=web} tcp/80 http`. */
export function formatPod(pod: Pod): string {
  const labels = [...pod.labels].map(([key, value]) => `${key}=${value}`).sort();
  const unknown = [...pod.unknownKeys].sort().map((key) => `${key}=?`);
  const ports = pod.ports.map(({ name, protocol, port }) => `${protocol}/${port}${name === undefined ? '' : `=${name}`}`);
  return [
    `${pod.workload.namespace}/${pod.workload.kind}/${pod.workload.name}`,
    pod.name,
    `x${pod.replicas}`,
    `{${[...labels, ...unknown].join(' ')}}`,
    ...ports,
    ...(pod.hostNetwork ? ['hostNetwork'] : []),
    ...pod.addresses.map(formatIpAddress),
  ].join(' ');
}
