// Prometheus locked out: pods that it is asked to scrape, and policies that do not let it in.
import type { Finding } from '../../base/finding.ts';
import type { EndpointRef } from '../../analyze/endpoint.ts';
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Pod } from '../../model/cluster.ts';
import type { Peer } from '../../model/network-policy.ts';
import { below, locateOrigin } from '../../model/origin.ts';
import { selects } from '../../model/selector.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import { calledGrouper, mayCall, nameOfWritten, workloadName, type CalledPods } from '../callers/callers.ts';
import { policyForCaller } from '../callers/caller-policy.ts';
import type { LintContext } from '../context/lint-context.ts';
import { explainRefusal, RELATED_MAX } from '../context/refusal.ts';
import { peersOnto, policiesOnto } from '../context/rules-onto.ts';
import { findScrapes, isPrometheusPod, type Scrape } from '../callers/scrapes.ts';

/** Other scrapers that heed the same objects and annotations, by the names of their charts. */
const OTHER_SCRAPERS = ['vmagent', 'alloy', 'grafana-agent', 'opentelemetry-collector', 'prometheus-agent'];

type PodRef = EndpointRef & { readonly kind: 'pod' };

interface Scrapers {
  /** Pods of Prometheus; empty where they are not in the input. */
  readonly prometheus: readonly PodRef[];
  readonly others: readonly PodRef[];
}

export function lintScrapes(context: LintContext, routes: readonly ServiceRoute[], written: readonly WrittenObject[]): Finding[] {
  const { cluster, program } = context;
  const scrapes = findScrapes({ cluster, routes, written });
  if (scrapes.length === 0) return [];
  const scrapers: Scrapers = { prometheus: refsOf(cluster.pods, isPrometheusPod), others: refsOf(cluster.pods, ({ labels }) => OTHER_SCRAPERS.includes(labels.get('app.kubernetes.io/name') ?? labels.get('app') ?? '')) };
  const group = calledGrouper(context);
  return scrapes.flatMap((scrape) =>
    group(scrape.targets).flatMap((called) => {
      if ([...scrapers.prometheus, ...scrapers.others].some((source) => mayCall(program, source, called))) return [];
      return scrapers.prometheus.length > 0 ? [keptOut(context, scrape, called, scrapers.prometheus[0]!)] : unknownKeptOut(context, scrape, called);
    }),
  );
}

function refsOf(pods: readonly Pod[], isWanted: (pod: Pod) => boolean): readonly PodRef[] {
  return [...pods.keys()].filter((index) => isWanted(pods[index]!)).map((pod) => ({ kind: 'pod', pod }));
}

function keptOut(context: LintContext, scrape: Scrape, called: CalledPods, source: PodRef): Finding {
  const { cluster, program } = context;
  const { isByEgress, policy, related } = explainRefusal(program, { source, target: { kind: 'pod', pod: called.pod }, protocol: 'TCP', port: called.port });
  const scraper = cluster.pods[source.pod]!;
  const said = isByEgress ? 'does not let out Prometheus' : 'keeps out Prometheus';
  const edits = isByEgress ? [] : policyForCaller(context, { called, beside: scrape.object, suffix: 'from-prometheus', why: `Prometheus may scrape`, peer: podsLines(scraper) });
  return {
    ...placeOf(scrape),
    ...(edits.length === 0 ? {} : { edits }),
    message: `${asks(scrape, called)}, and ${policy} ${said}, ${workloadName(scraper)}`,
    help: isByEgress ? `allow egress to TCP ${called.port} there` : `allow TCP ${called.port} from the pods of Prometheus in the namespace \`${scraper.namespace}\``,
    related,
  };
}

function podsLines({ namespace, labels }: Pod): readonly string[] {
  const key = ['app.kubernetes.io/name', 'app'].find((name) => labels.has(name))!; // by one of the two it was known
  return [`- namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${namespace} } }`, `  podSelector: { matchLabels: { ${key}: ${labels.get(key)} } }`];
}

/** Prometheus may be in any namespace: certain where no rule on the port names anybody of another one. */
function unknownKeptOut(context: LintContext, scrape: Scrape, called: CalledPods): Finding[] {
  const pod = context.cluster.pods[called.pod]!;
  const policies = policiesOnto(context, called.pod);
  const [first] = policies;
  if (first === undefined || hasTierAllowance(context)) return [];
  const peers = peersOnto(policies, pod, called.port);
  if (peers === undefined || peers.some(mayBeScraper)) return [];
  return [{
    ...placeOf(scrape),
    message: `${asks(scrape, called)}, and NetworkPolicy \`${first.namespace}/${first.name}\`${policies.length === 1 ? ' lets' : ` and ${policies.length - 1} more let`} in nobody from another namespace on this port`,
    help: `allow TCP ${called.port} from the pods of Prometheus, by \`namespaceSelector\` and \`podSelector\` in one item`,
    related: policies.slice(0, RELATED_MAX).map((policy) => ({ message: `isolated by NetworkPolicy \`${policy.namespace}/${policy.name}\``, ...locateOrigin(policy.origin) })),
  }];
}

function hasTierAllowance({ cluster }: LintContext): boolean {
  return cluster.clusterPolicies.some(({ ingress }) => ingress.some(({ action }) => action !== 'Deny'));
}

/** Of the own namespace, a peer that names a scraper; every pod there is meant for the application. */
function mayBeScraper(peer: Peer): boolean {
  if (peer.kind !== 'pods' || peer.namespaces.kind === 'selected') return true;
  const { podSelector } = peer;
  return podSelector.requirements.length > 0 && ['prometheus', ...OTHER_SCRAPERS].some((name) => selects(podSelector, { labels: new Map([['app.kubernetes.io/name', name], ['app', name]]), unknownKeys: new Set() }));
}

function asks({ object }: Scrape, { text }: CalledPods): string {
  return `the ${object.kind} \`${object.namespace}/${object.name}\` asks Prometheus to scrape ${text}`;
}

function placeOf({ object, path }: Scrape): Pick<Finding, 'code' | 'severity' | 'file' | 'range' | 'object'> {
  return { code: 'scraper-blocked', severity: 'warning', ...locateOrigin(below(object, ...path)), object: nameOfWritten(object) };
}
