// The API server locked out: webhooks and extension APIs that it calls, behind policies that let in pods alone.
import type { Finding } from '../../base/finding.ts';
import { ADDRESS_BITS, formatIpAddress } from '../../base/ip-address.ts';
import type { EndpointRef } from '../../analyze/endpoint.ts';
import { outsideRanges } from '../../analyze/outside-ranges.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Peer } from '../../model/network-policy.ts';
import { below, locateOrigin } from '../../model/origin.ts';
import { selects, type LabelSet } from '../../model/selector.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import { calledServices, podsCalled, type CalledService } from '../callers/api-calls.ts';
import { calledGrouper, mayCall, nameOfWritten, type CalledPods } from '../callers/callers.ts';
import { policyForCaller } from '../callers/caller-policy.ts';
import type { LintContext } from '../context/lint-context.ts';
import { explainRefusal } from '../context/refusal.ts';
import { peersOnto, policiesOnto } from '../context/rules-onto.ts';

/** By whose pods an API server reaches into the cluster where it stands outside the network of the nodes (kubernetes-sigs/apiserver-network-proxy). */
const TUNNEL: LabelSet = { labels: new Map([['k8s-app', 'konnectivity-agent']]), unknownKeys: new Set() };
const TUNNEL_NAMESPACE: LabelSet = { labels: new Map([['kubernetes.io/metadata.name', 'kube-system']]), unknownKeys: new Set() };

export function lintApiCalls(context: LintContext, routes: readonly ServiceRoute[], written: readonly WrittenObject[]): Finding[] {
  const calls = written.flatMap((object) => calledServices(object).map((service) => ({ object, service })));
  if (calls.length === 0) return [];
  const own = ownAddresses(context.cluster);
  const addresses = own.length > 0 ? own : outsideRanges(context.program).map(({ family, first }): EndpointRef => ({ kind: 'address', address: { family, value: first } }));
  const callers: Callers = { addresses, areKnown: own.length > 0, tunnels: [...context.cluster.pods.entries()].flatMap(([pod, { labels }]) => (labels.get('k8s-app') === 'konnectivity-agent' ? [{ kind: 'pod', pod }] : [])) };
  const group = calledGrouper(context);
  return calls.flatMap(({ object, service }) => group(podsCalled(routes, service)).filter((called) => isShut(context, callers, called)).map((called) => keptOut(context, callers, { object, service, called })));
}

interface Callers {
  /** Its own; else one of each range that policies tell apart. */
  readonly addresses: readonly EndpointRef[];
  readonly areKnown: boolean;
  readonly tunnels: readonly EndpointRef[];
}

/** Which every API server writes into the EndpointSlices of the Service `kubernetes`. */
function ownAddresses({ endpointSlices }: Cluster): readonly EndpointRef[] {
  const slices = endpointSlices.filter(({ namespace, serviceName }) => namespace === 'default' && serviceName === 'kubernetes');
  return slices.flatMap(({ endpoints }) => endpoints).flatMap(({ addresses }) => addresses).map((address) => ({ kind: 'address', address }));
}

function isShut(context: LintContext, { addresses, tunnels }: Callers, called: CalledPods): boolean {
  if (addresses.length === 0 || [...addresses, ...tunnels].some((source) => mayCall(context.program, source, called))) return false;
  const peers = peersOnto(policiesOnto(context, called.pod), context.cluster.pods[called.pod]!, called.port);
  return peers === undefined || !peers.some(namesTunnel);
}

/** The tunnel of a provider may stand there without being in the input; who selects every namespace does not mean it. */
function namesTunnel(peer: Peer): boolean {
  if (peer.kind !== 'pods' || peer.namespaces.kind !== 'selected') return false;
  const { selector } = peer.namespaces;
  return selector.requirements.length > 0 && selects(selector, TUNNEL_NAMESPACE) && selects(peer.podSelector, TUNNEL);
}

interface Call {
  readonly object: WrittenObject;
  readonly service: CalledService;
  readonly called: CalledPods;
}

function keptOut(context: LintContext, { addresses, areKnown }: Callers, { object, service, called }: Call): Finding {
  const { policy, related } = explainRefusal(context.program, { source: addresses[0]!, target: { kind: 'pod', pod: called.pod }, protocol: 'TCP', port: called.port });
  const why = areKnown ? 'The API server calls' : 'The API server calls, from an address that the manifests do not show: name it by an ipBlock in `from`';
  const edits = policyForCaller(context, { called, beside: object, suffix: 'from-api-server', why, peer: areKnown ? blockLines(addresses) : undefined });
  return {
    code: 'webhook-blocked',
    severity: 'warning',
    ...(edits.length === 0 ? {} : { edits }),
    ...locateOrigin(below(object, ...service.path)),
    object: nameOfWritten(object),
    message: `the ${object.kind} \`${object.name}\` has the API server call ${called.text}, and ${policy} ${areKnown ? 'keeps out its address' : 'lets in no address outside the pods'}`,
    help: `allow TCP ${called.port} from the addresses of the API server by an ipBlock: no rule for pods matches it`,
    related,
  };
}

function blockLines(addresses: readonly EndpointRef[]): readonly string[] {
  return addresses.flatMap((end) => (end.kind === 'address' ? [`- ipBlock: { cidr: ${JSON.stringify(`${formatIpAddress(end.address)}/${ADDRESS_BITS[end.address.family]}`)} }`] : []));
}
