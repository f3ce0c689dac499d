// Connections from and to the API server: webhooks and extension APIs that it calls, and workloads that hold a role there.
import type { Finding } from '../../base/finding.ts';
import { portSetOf, unionPorts, type PortSet } from '../../base/port-set.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import { calledServices, podsCalled, type CalledService } from '../../lint/callers/api-calls.ts';
import type { Cluster } from '../../model/cluster.ts';
import { selects } from '../../model/selector.ts';
import { mapsIn, textIn } from '../../read/values/loose-map.ts';
import { podSpecOf, type WrittenObject } from '../../read/values/written-object.ts';
import { findApiServer, type ApiServerPlace } from '../../pattern/find-places.ts';
import { outsideBlocks, rangeBlocks } from '../ends/address-blocks.ts';
import type { Connection, End, Shown } from '../ends/connection.ts';
import type { Subject, Subjects } from '../ends/subjects.ts';
import { placeIn } from '../words/workload-texts.ts';
import { noteAt, witnessAt } from '../words/witness.ts';

export interface ApiServerContext {
  readonly cluster: Cluster;
  readonly routes: readonly ServiceRoute[];
  readonly subjects: Subjects;
  readonly written: readonly WrittenObject[];
}

/** Who calls when the API server does; `decision` where its address is not known. */
interface Callers {
  readonly ends: readonly End[];
  readonly decision: string | undefined;
}

/** Its own addresses, and pods that carry its connections; else it has a node's address, or one of the provider's. */
function findCallers({ cluster, subjects }: ApiServerContext): Callers {
  const known = findApiServer(cluster);
  if (known === undefined) {
    return { ends: [{ kind: 'addresses', name: 'the API server', blocks: outsideBlocks(cluster) }], decision: 'the address of the API server is not in the input: this opens to every address but those of pods' };
  }
  const tunnels = subjects.all.filter(({ namespace, pods }) => known.tunnels.some((place) => place.namespace === namespace && pods.some((pod) => selects(place.podSelector, cluster.pods[pod]!))));
  return { ends: [apiServerEnd(known), ...tunnels.map((subject): End => ({ kind: 'subject', subject }))], decision: undefined };
}

function apiServerEnd({ blocks }: ApiServerPlace): End {
  return { kind: 'addresses', name: 'the API server', blocks: rangeBlocks(blocks.map(({ range }) => range)) };
}

export function connectionsFromApiServer(context: ApiServerContext): Shown {
  const { routes, subjects, written } = context;
  const { ends, decision } = findCallers(context);
  const shown = written.flatMap((object) => calledServices(object).map((called): Shown => {
    const place = placeIn(object, called.path);
    const says = `the ${object.kind} ${object.name} calls the Service ${called.namespace}/${called.name}:${called.port}`;
    const targets = targetsOf(routes, subjects, called);
    if (targets.length === 0) return { connections: [], findings: [noteAt(place, 'witness-without-target', 'warning', `${says}, which stays closed: there is none with that port in the input`, 'give its manifest as well')] };
    return { connections: ends.flatMap((source) => targets.map(({ subject, ports }): Connection => ({ source, target: { kind: 'subject', subject }, ports, witnesses: [witnessAt(place, says)], isByName: false, decision }))), findings: [] };
  }));
  return { connections: shown.flatMap(({ connections }) => connections), findings: shown.flatMap(({ findings }) => findings) };
}

function targetsOf(routes: readonly ServiceRoute[], subjects: Subjects, called: CalledService): readonly { readonly subject: Subject; readonly ports: PortSet }[] {
  return podsCalled(routes, called).flatMap(({ pod, port }) => {
    const subject = subjects.of(pod);
    return subject === undefined ? [] : [{ subject, ports: portSetOf('TCP', port, port) }];
  });
}

/** Who has a role asks the API server; where that is, the input may not tell. */
export function connectionsOfRoles({ cluster, subjects, written }: ApiServerContext): Shown {
  const known = findApiServer(cluster);
  const bound = boundAccounts(written);
  const unmounted = new Set(written.filter(({ kind, map }) => kind === 'ServiceAccount' && map['automountServiceAccountToken'] === false).map(({ namespace, name }) => `${namespace}/${name}`));
  const connections: Connection[] = [];
  const findings: Finding[] = [];
  for (const object of written) {
    const { spec, path } = podSpecOf(object);
    const account = textIn(spec, 'serviceAccountName') ?? textIn(spec, 'serviceAccount') ?? 'default';
    const key = `${object.namespace}/${account}`;
    const binding = bound.get(key);
    const subject = subjects.ofWorkload(object);
    if (binding === undefined || subject === undefined || (spec['automountServiceAccountToken'] ?? !unmounted.has(key)) !== true) continue;
    const place = placeIn(object, [...path, 'serviceAccountName']);
    const says = `the service account ${account} has a role by ${binding}`;
    if (known === undefined) findings.push(noteAt(place, 'witness-not-opened', 'warning', `${says}, so the pods of the ${object.kind} \`${object.namespace}/${object.name}\` ask the API server, which stays closed: its address is not in the input`, 'give the EndpointSlice `default/kubernetes` as well, or allow its address by an ipBlock'));
    else connections.push({ source: { kind: 'subject', subject }, target: apiServerEnd(known), ports: portsOf(known), witnesses: [witnessAt(place, says)], isByName: false, decision: undefined });
  }
  return { connections, findings };
}

function portsOf({ ports }: ApiServerPlace): PortSet {
  return ports.reduce<PortSet>((set, port) => (port.kind === 'range' ? unionPorts(set, portSetOf(port.protocol, port.first, port.last)) : set), []);
}

/** By namespace and name, the binding that gives the role. */
function boundAccounts(written: readonly WrittenObject[]): ReadonlyMap<string, string> {
  const accounts = new Map<string, string>();
  for (const { kind, namespace, name, map } of written) {
    if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') continue;
    for (const [, subject] of mapsIn(map, 'subjects')) {
      if (subject['kind'] !== 'ServiceAccount') continue;
      const key = `${textIn(subject, 'namespace') ?? namespace}/${textIn(subject, 'name') ?? ''}`;
      if (!accounts.has(key)) accounts.set(key, `the ${kind} ${name}`);
    }
  }
  return accounts;
}

/** Kinds that lead traffic to Services in ways that are not followed here. */
const OTHER_ENTRANCES: ReadonlySet<string> = new Set(['VirtualService', 'IngressRoute', 'IngressRouteTCP', 'HTTPProxy', 'VirtualServer', 'Route', 'TCPIngress', 'Mapping']);

export function noteOtherEntrances(written: readonly WrittenObject[]): readonly Finding[] {
  return written.filter(({ kind, apiVersion }) => OTHER_ENTRANCES.has(kind) && apiVersion.includes('.')).map((object) =>
    noteAt(placeIn(object, ['kind']), 'witness-not-understood', 'warning', `where the ${object.kind} \`${object.namespace}/${object.name}\` leads, and from where, is not followed, and stays closed`, 'allow its gateway to its backends in a policy of your own'));
}
