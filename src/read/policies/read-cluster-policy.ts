// Reads cluster-wide policies as their custom resources validate them (network-policy-api 0.2.0 and 0.1.7, both channels).
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import type { ClusterPolicy, ScopedPods, Tier, TierRule } from '../../model/cluster-policy.ts';
import type { Direction } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import { EVERYTHING, type Selector } from '../../model/selector.ts';
import { checkFields, type Level } from '../values/check-fields.ts';
import { checkMetadata } from '../values/check-metadata.ts';
import { createFindingList } from '../values/finding-list.ts';
import { mapAt, readInteger, readMap, readText, REFUSED, shorten, type Refused } from '../values/loose-value.ts';
import { originOf, refuse, remark, type ObjectContext } from '../values/object-context.ts';
import type { LabelCache } from '../values/read-labels.ts';
import { readSelector } from '../values/read-selector.ts';
import { readScope } from './read-tier-peers.ts';
import { readTierSection } from './read-tier-rules.ts';
import { ADMIN_DIALECT, BASELINE_DIALECT, CLUSTER_DIALECT, type TierDialect } from './tier-dialect.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

interface PolicyObject {
  readonly map: LooseMap;
  readonly path: Path;
  readonly name: string;
}

/** undefined: what it is or whom it governs cannot be known, with findings that say why. Rules that cannot be understood fail closed. */
export function readClusterPolicy(context: ObjectContext, cache: LabelCache, object: PolicyObject, kind: ClusterPolicy['kind']): ClusterPolicy | undefined {
  const { map, path, name } = object;
  const reader = READERS[kind];
  if (kind === 'BaselineAdminNetworkPolicy' && name !== 'default') {
    refuse(context, [...path, 'metadata', 'name'], 'invalid-name', `the one BaselineAdminNetworkPolicy of a cluster is named \`default\`, not \`${shorten(name)}\``, {
      help: 'name it `default`',
      replacement: 'default',
      leavesOut: 'the answer leaves it out, as no server would hold it',
    });
    return undefined;
  }
  checkFields(context, map, path, 'cluster-wide object', 'nothing else changes');
  const isNamed = checkMetadata(context, cache, map, [...path, 'metadata'], name);
  const spec = readSpec(context, map['spec'], [...path, 'spec'], kind);
  const settled = spec === undefined ? undefined : settleSpec(context, spec, [...path, 'spec'], reader);
  if (settled === undefined || !isNamed) {
    if (context.settings.isLenient) remark(context, [...path, 'metadata', 'name'], 'policy-left-out', 'warning', LEFT_OUT);
    return undefined;
  }
  return { kind, name, ...settled, origin: originOf(context, path) };
}

/**
 * As a server holds it: where its place or whom it governs cannot be known, it denies everything to whom it may govern, in
 * each direction in which it may deny. An error among the findings tells of it, or of a rule that is closed.
 */
export function readStoredClusterPolicy(context: ObjectContext, { map, path, name }: PolicyObject, kind: ClusterPolicy['kind']): ClusterPolicy {
  const reader = READERS[kind];
  const specPath = [...path, 'spec'];
  const spec = readSpec(context, map['spec'], specPath, kind);
  const settled = spec === undefined ? undefined : settleSpec(context, spec, specPath, reader);
  return { kind, name, ...(settled ?? closeSpec(context, spec, specPath, reader)), origin: originOf(context, path) };
}

/** How one of the three kinds is read. */
interface KindReader {
  readonly dialect: TierDialect;
  readonly specLevel: Level;
  tier(context: ObjectContext, spec: LooseMap, path: Path): Tier | Refused;
  priority(context: ObjectContext, spec: LooseMap, path: Path): number | Refused;
}

/** Behind every Baseline ClusterNetworkPolicy (a choice: the two kinds know nothing of each other). */
const BASELINE_ADMIN_PRIORITY = 1001;

const READERS: Readonly<Record<ClusterPolicy['kind'], KindReader>> = {
  ClusterNetworkPolicy: {
    dialect: CLUSTER_DIALECT,
    specLevel: 'ClusterNetworkPolicy spec',
    tier: (context, spec, path) => readTier(context, spec['tier'], [...path, 'tier']),
    priority: (context, spec, path) => readPriority(context, spec['priority'], [...path, 'priority']),
  },
  AdminNetworkPolicy: {
    dialect: ADMIN_DIALECT,
    specLevel: 'AdminNetworkPolicy spec',
    tier: () => 'Admin',
    priority: (context, spec, path) => readPriority(context, spec['priority'], [...path, 'priority']),
  },
  BaselineAdminNetworkPolicy: {
    dialect: BASELINE_DIALECT,
    specLevel: 'BaselineAdminNetworkPolicy spec',
    tier: () => 'Baseline',
    priority: () => BASELINE_ADMIN_PRIORITY,
  },
};

const LEFT_OUT = 'the policy is left out of the answer: what it denies counts as open, what it accepts as not accepted by it';

type SettledSpec = Omit<ClusterPolicy, 'kind' | 'name' | 'origin'>;

function readSpec(context: ObjectContext, value: Value | undefined, path: Path, kind: ClusterPolicy['kind']): LooseMap | undefined {
  const spec = readMap(context, value, path);
  if (spec === undefined) {
    refuse(context, [...path.slice(0, -1), 'kind'], 'missing-spec', `a ${kind} needs a \`spec\``, { help: 'write its `spec`', leavesOut: 'nothing of it is known' });
  }
  return spec === REFUSED ? undefined : spec;
}

function settleSpec(context: ObjectContext, spec: LooseMap, path: Path, reader: KindReader): SettledSpec | undefined {
  const isUnknown = checkFields(context, spec, path, reader.specLevel, 'the policy may decide less than is written');
  const tier = reader.tier(context, spec, path);
  const priority = reader.priority(context, spec, path);
  const subject = readSubject(context, reader.dialect, spec['subject'], [...path, 'subject']);
  const ingress = readTierSection(context, reader.dialect, 'ingress', { value: spec['ingress'], path: [...path, 'ingress'] });
  const egress = readTierSection(context, reader.dialect, 'egress', { value: spec['egress'], path: [...path, 'egress'] });
  if (tier === REFUSED || priority === REFUSED || subject === undefined || isUnknown) return undefined;
  return { tier, priority, subject, ingress, egress };
}

const UNKNOWN_PLACE = 'where the policy stands among the others is not known';

function readTier(context: ObjectContext, value: Value | undefined, path: Path): Tier | Refused {
  const text = readText(context, value, path);
  if (text === 'Admin' || text === 'Baseline' || text === REFUSED) return text;
  if (text === undefined) {
    refuse(context, path, 'missing-field', 'a ClusterNetworkPolicy needs a `tier`', { help: 'write `tier: Admin` or `tier: Baseline`', leavesOut: UNKNOWN_PLACE });
    return REFUSED;
  }
  const near = nearestWordAnyCase(text, ['Admin', 'Baseline']);
  refuse(context, path, 'invalid-value', `\`${shorten(text)}\` is no tier: the two are Admin and Baseline`, {
    leavesOut: UNKNOWN_PLACE,
    ...(near === undefined ? {} : { help: `did you mean \`${near}\`?`, replacement: near }),
  });
  return REFUSED;
}

const PRIORITY_MAX = 1000;

function readPriority(context: ObjectContext, value: Value | undefined, path: Path): number | Refused {
  const priority = readInteger(context, value, path);
  if (priority === undefined) {
    refuse(context, path, 'missing-field', 'a policy of the Admin or Baseline tier needs a `priority`', { help: `write one from 0, which is asked first, to ${PRIORITY_MAX}`, leavesOut: UNKNOWN_PLACE });
    return REFUSED;
  }
  if (priority === REFUSED || (priority >= 0 && priority <= PRIORITY_MAX)) return priority;
  refuse(context, path, 'invalid-value', `${priority} is no priority: they go from 0, which is asked first, to ${PRIORITY_MAX}`, { leavesOut: UNKNOWN_PLACE });
  return REFUSED;
}

function readSubject(context: ObjectContext, dialect: TierDialect, value: Value | undefined, path: Path): ScopedPods | undefined {
  const own: ObjectContext = { ...context, tierPart: 'subject', leftOut: 'whom the policy governs is not known', refusals: 0 };
  const map = readMap(own, value, path);
  if (map === undefined) refuse(own, path, 'missing-field', 'the policy needs a `subject`', { help: 'write `subject: {namespaces: {}}` if it shall govern every pod' });
  if (map === undefined || map === REFUSED) return undefined;
  checkFields(own, map, path, 'subject', '');
  const scope = readScope(own, dialect, map, path);
  return scope === undefined || own.refusals > 0 ? undefined : scope;
}

// --- What cannot be known

/** Its findings have been made before. */
function closeSpec(context: ObjectContext, spec: LooseMap | undefined, path: Path, reader: KindReader): SettledSpec {
  const quiet: ObjectContext = { ...context, findings: createFindingList() };
  const known = spec ?? {};
  const tier = reader.tier(quiet, known, path);
  const priority = reader.priority(quiet, known, path);
  const close = (direction: Direction): readonly TierRule[] =>
    spec === undefined ? [closedRule(quiet, path)] : closeSection(quiet, path, readTierSection(quiet, reader.dialect, direction, { value: spec[direction], path: [...path, direction] }));
  return { tier: tier === REFUSED ? 'Admin' : tier, priority: priority === REFUSED ? 0 : priority, subject: widestSubject(quiet, known, path), ingress: close('ingress'), egress: close('egress') };
}

/** What only accepts opens nothing when it is left out. */
function closeSection(context: ObjectContext, path: Path, rules: readonly TierRule[]): readonly TierRule[] {
  return rules.some(({ action }) => action !== 'Accept') ? [closedRule(context, path)] : [];
}

function closedRule(context: ObjectContext, path: Path): TierRule {
  return { index: 0, name: undefined, action: 'Deny', peers: { kind: 'everybody' }, ports: { kind: 'every' }, origin: originOf(context, path) };
}

/** Everybody whom the part that can be understood does not leave out. */
function widestSubject(context: ObjectContext, spec: LooseMap, path: Path): ScopedPods {
  const own: ObjectContext = { ...context, tierPart: 'subject' };
  const place = [...path, 'subject'];
  const subject = mapAt(own, spec['subject'], place);
  const pods = mapAt(own, subject['pods'], [...place, 'pods']);
  const isPods = (subject['pods'] ?? null) !== null;
  // Both at once, or a field that nobody knows: who is meant cannot be told from either.
  if (Object.keys(subject).length !== 1) return { namespaceSelector: EVERYTHING, podSelector: EVERYTHING };
  const orEverything = (value: Value | undefined): Selector => {
    const selector = readSelector(own, value, place);
    return selector === undefined || selector === REFUSED ? EVERYTHING : selector;
  };
  if (!isPods) return { namespaceSelector: orEverything(subject['namespaces']), podSelector: EVERYTHING };
  return { namespaceSelector: orEverything(pods['namespaceSelector']), podSelector: orEverything(pods['podSelector']) };
}
