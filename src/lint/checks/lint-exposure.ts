// Entrances from outside that policies shut: Ingresses, load balancers and node ports that lead to pods whom they may not reach.
import type { Finding, ObjectName, RelatedPlace } from '../../base/finding.ts';
import type { FindingCode } from '../../base/finding-code.ts';
import { overlaps, PRIVATE_RANGES } from '../../base/known-ranges.ts';
import { nearestWord } from '../../base/near-miss.ts';
import { rangeLabel } from '../../base/range-label.ts';
import type { Service } from '../../model/cluster.ts';
import { below, locateOrigin, type Origin } from '../../model/origin.ts';
import { findExposures, type Exposure, type ExposedTarget } from '../../analyze/exposure.ts';
import type { LintContext } from '../context/lint-context.ts';
import { explainRefusal } from '../context/refusal.ts';

/** Ranges named in a message. */
const RANGES_MAX = 3;

export function lintExposure(context: LintContext): Finding[] {
  const { services, ingresses } = context.cluster;
  const hasEntrance = ingresses.length > 0 || services.some(({ type }) => type === 'LoadBalancer' || type === 'NodePort');
  return hasEntrance ? findExposures(context.program).flatMap((exposure) => lintEntrance(context, exposure)) : [];
}

function lintEntrance(context: LintContext, exposure: Exposure): Finding[] {
  const missing = missingBackend(context, exposure);
  if (missing !== undefined) return [missing];
  return exposure.targets.flatMap((target) => {
    if (target.verdict === 'closed') return [blocked(context, exposure, target)];
    if (target.verdict === 'unknown' && exposure.sources.kind === 'missing-controller') return [unknownController(context, exposure, target)];
    return isClientHidden(exposure, target) ? [hiddenClient(context, exposure, target)] : [];
  });
}

// --- What is shut

const BLOCKED_CODES: Readonly<Record<Exposure['entrance']['kind'], FindingCode>> = {
  Ingress: 'ingress-blocked',
  LoadBalancer: 'load-balancer-blocked',
  NodePort: 'node-port-blocked',
};

function blocked(context: LintContext, exposure: Exposure, target: ExposedTarget): Finding {
  const { entrance } = exposure;
  const shut = whoShuts(context, target);
  return findAtEntrance(exposure, {
    code: BLOCKED_CODES[entrance.kind],
    severity: 'warning',
    message: `${entranceText(exposure)} leads to ${targetText(context, target)}, and ${shut.direction} keeps out ${sourceText(context, exposure)}`,
    help: `allow ${target.protocol} ${target.port} from ${sourceHelp(context, exposure)}`,
    related: shut.related,
  });
}

function whoShuts({ program }: LintContext, { refused, protocol, port }: ExposedTarget): { readonly direction: string; readonly related: readonly RelatedPlace[] } {
  if (refused === undefined) return { direction: 'a policy', related: [] };
  const { isByEgress, related } = explainRefusal(program, { ...refused, protocol, port });
  return { direction: isByEgress ? 'the egress policy of the controller' : 'the ingress policy there', related };
}

function sourceText({ cluster }: LintContext, { sources }: Exposure): string {
  switch (sources.kind) {
    case 'clients':
      return 'everybody from outside';
    case 'nodes':
      return sources.addresses.length === 0 ? 'everybody from outside, the nodes included' : 'the nodes, whose address such traffic has';
    case 'controller': {
      const names = new Set(sources.pods.map((pod) => `${cluster.pods[pod]!.workload.namespace}/${cluster.pods[pod]!.workload.name}`));
      return `the controller \`${[...names].join('`, `')}\``;
    }
    case 'provider':
      return `everybody from outside, ${sources.name}, included`;
    case 'missing-controller':
      return 'the controller';
  }
}

function sourceHelp({ cluster }: LintContext, { sources }: Exposure): string {
  if (sources.kind === 'controller') return `the namespace \`${cluster.pods[sources.pods[0]!]!.namespace}\``;
  if (sources.kind === 'nodes') return 'the addresses of the nodes by an ipBlock, or from everybody';
  return 'those addresses by an ipBlock';
}

// --- What cannot be seen or known

/** Somebody wrote down clients, and what arrives has the address of a node. */
function isClientHidden({ sources }: Exposure, { outside, verdict }: ExposedTarget): boolean {
  if (sources.kind !== 'nodes' || verdict === 'open') return false;
  return outside.length > 0 && outside.every((range) => !PRIVATE_RANGES.some((known) => overlaps(range, known)));
}

function hiddenClient(context: LintContext, exposure: Exposure, target: ExposedTarget): Finding {
  const named = target.outside.slice(0, RANGES_MAX).map(rangeLabel).join(', ');
  const more = target.outside.length > RANGES_MAX ? ` and ${target.outside.length - RANGES_MAX} more` : '';
  return findAtEntrance(exposure, {
    code: 'client-address-hidden',
    severity: 'warning',
    message: `${entranceText(exposure)} leads to ${targetText(context, target)}, where policies let in ${named}${more}; without \`externalTrafficPolicy: Local\` such traffic arrives with the address of a node`,
    help: 'write `externalTrafficPolicy: Local`, or allow the addresses of the nodes',
    related: [],
  });
}

function unknownController(context: LintContext, exposure: Exposure, target: ExposedTarget): Finding {
  const name = exposure.sources.kind === 'missing-controller' ? exposure.sources.name : undefined;
  return findAtEntrance(exposure, {
    code: 'ingress-controller-unknown',
    severity: 'info',
    message: `${entranceText(exposure)} leads to ${targetText(context, target)}, which policies govern; whether ${name ?? 'its controller'} may reach them cannot be known: its pods are not in the input`,
    help: 'give the manifests of the ingress controller as well',
    related: [],
  });
}

/** A Service that is not in the input may be elsewhere; a port that it does not have is a mistake. */
function missingBackend({ cluster }: LintContext, exposure: Exposure): Finding | undefined {
  const { entrance } = exposure;
  if (entrance.kind !== 'Ingress' || entrance.port !== undefined) return undefined;
  const { route, service, ingress } = entrance;
  const name = `${ingress.namespace}/${route.serviceName}`;
  if (service === undefined) {
    const siblings = cluster.services.filter(({ namespace }) => namespace === ingress.namespace).map((known) => known.name);
    const near = nearestWord(route.serviceName, siblings);
    return near === undefined ? undefined : backendFinding(exposure, `there is no Service \`${name}\``, `did you mean \`${near}\`?`);
  }
  if (service.type === 'ExternalName') return undefined;
  return backendFinding(exposure, `the Service \`${name}\` has no port \`${route.servicePort}\``, `it has ${portsText(service)}`);
}

function portsText({ ports }: Service): string {
  return ports.map(({ port, name }) => (name === undefined ? `${port}` : `${port} (${name})`)).join(', ') || 'no ports';
}

function backendFinding(exposure: Exposure, problem: string, help: string): Finding {
  return findAtEntrance(exposure, { code: 'ingress-backend-not-found', severity: 'warning', message: `${entranceText(exposure)} leads nowhere: ${problem}`, help, related: [] });
}

// --- Words

function entranceText({ entrance }: Exposure): string {
  if (entrance.kind === 'Ingress') {
    const { ingress, route } = entrance;
    return `the Ingress \`${ingress.namespace}/${ingress.name}\` (${route.host ?? '*'}${route.path})`;
  }
  const { service, port } = entrance;
  return `the ${entrance.kind} \`${service.namespace}/${service.name}\` (${port.protocol} ${port.port})`;
}

function targetText({ cluster }: LintContext, { pods, protocol, port }: ExposedTarget): string {
  const names = new Set(pods.map((pod) => `${cluster.pods[pod]!.workload.namespace}/${cluster.pods[pod]!.workload.name}`));
  const [first, ...others] = names;
  return `\`${first!}\`${others.length === 0 ? '' : ` and ${others.length} more`} on ${protocol} ${port}`;
}

type Parts = Pick<Finding, 'code' | 'severity' | 'message'> & { readonly help: string; readonly related: readonly RelatedPlace[] };

function findAtEntrance({ entrance }: Exposure, { related, ...parts }: Parts): Finding {
  const { origin, object } = entrance.kind === 'Ingress' ? ingressPlace(entrance) : servicePlace(entrance);
  return { ...parts, ...locateOrigin(origin), object, ...(related.length === 0 ? {} : { related }) };
}

interface Place {
  readonly origin: Origin;
  readonly object: ObjectName;
}

function ingressPlace({ ingress, route }: Exposure['entrance'] & { readonly kind: 'Ingress' }): Place {
  return { origin: route.origin, object: { kind: 'Ingress', namespace: ingress.namespace, name: ingress.name } };
}

function servicePlace({ service, port }: Exposure['entrance'] & { readonly kind: 'LoadBalancer' | 'NodePort' }): Place {
  return { origin: below(service.origin, 'spec', 'ports', service.ports.indexOf(port)), object: { kind: 'Service', namespace: service.namespace, name: service.name } };
}
