// Reads cluster-wide policies as their custom resources validate them (network-policy-api 0.2.0 and 0.1.7, both channels).
import { nearestWordAnyCase } from '../base/near-miss.ts';
import type { ClusterPolicy, ScopedPods, Tier } from '../model/cluster-policy.ts';
import type { Path } from '../model/origin.ts';
import { checkFields, type Level } from './check-fields.ts';
import { checkMetadata } from './check-metadata.ts';
import { readInteger, readMap, readText, REFUSED, shorten, type Refused } from './loose-value.ts';
import { originOf, refuse, remark, type ObjectContext } from './object-context.ts';
import type { LabelCache } from './read-labels.ts';
import { readScope } from './read-tier-peers.ts';
import { readTierSection } from './read-tier-rules.ts';
import { ADMIN_DIALECT, BASELINE_DIALECT, CLUSTER_DIALECT, type TierDialect } from './tier-dialect.ts';
import type { LooseMap, Value } from './yaml-value.ts';

interface PolicyObject {
  readonly map: LooseMap;
  readonly path: Path;
  readonly name: string;
}

/** undefined: what it is or whom it governs cannot be known, with findings that say why. Rules that cannot be understood fail closed. */
export function readClusterNetworkPolicy(context: ObjectContext, cache: LabelCache, object: PolicyObject): ClusterPolicy | undefined {
  return readPolicy(context, cache, object, {
    kind: 'ClusterNetworkPolicy',
    dialect: CLUSTER_DIALECT,
    specLevel: 'ClusterNetworkPolicy spec',
    tier: (spec, path) => readTier(context, spec['tier'], [...path, 'tier']),
    priority: (spec, path) => readPriority(context, spec['priority'], [...path, 'priority']),
  });
}

export function readAdminNetworkPolicy(context: ObjectContext, cache: LabelCache, object: PolicyObject): ClusterPolicy | undefined {
  return readPolicy(context, cache, object, {
    kind: 'AdminNetworkPolicy',
    dialect: ADMIN_DIALECT,
    specLevel: 'AdminNetworkPolicy spec',
    tier: () => 'Admin',
    priority: (spec, path) => readPriority(context, spec['priority'], [...path, 'priority']),
  });
}

/** Behind every Baseline ClusterNetworkPolicy (a choice: the two kinds know nothing of each other). */
const BASELINE_ADMIN_PRIORITY = 1001;

export function readBaselineAdminNetworkPolicy(context: ObjectContext, cache: LabelCache, object: PolicyObject): ClusterPolicy | undefined {
  if (object.name !== 'default') {
    refuse(context, [...object.path, 'metadata', 'name'], 'invalid-name', `the one BaselineAdminNetworkPolicy of a cluster is named \`default\`, not \`${shorten(object.name)}\``, {
      help: 'name it `default`',
      replacement: 'default',
      leavesOut: 'the answer leaves it out, as no server would hold it',
    });
    return undefined;
  }
  return readPolicy(context, cache, object, {
    kind: 'BaselineAdminNetworkPolicy',
    dialect: BASELINE_DIALECT,
    specLevel: 'BaselineAdminNetworkPolicy spec',
    tier: () => 'Baseline',
    priority: () => BASELINE_ADMIN_PRIORITY,
  });
}

/** How one of the three kinds is read. */
interface KindReader {
  readonly kind: ClusterPolicy['kind'];
  readonly dialect: TierDialect;
  readonly specLevel: Level;
  tier(spec: LooseMap, path: Path): Tier | Refused;
  priority(spec: LooseMap, path: Path): number | Refused;
}

const LEFT_OUT = 'the policy is left out of the answer: what it denies counts as open, what it accepts as not accepted by it';

function readPolicy(context: ObjectContext, cache: LabelCache, object: PolicyObject, reader: KindReader): ClusterPolicy | undefined {
  const { map, path, name } = object;
  checkFields(context, map, path, 'cluster-wide object', 'nothing else changes');
  const isNamed = checkMetadata(context, cache, map, [...path, 'metadata'], name);
  const settled = settleSpec(context, map['spec'], [...path, 'spec'], reader);
  if (settled === undefined || !isNamed) {
    if (context.settings.isLenient) remark(context, [...path, 'metadata', 'name'], 'policy-left-out', 'warning', LEFT_OUT);
    return undefined;
  }
  return { kind: reader.kind, name, ...settled, origin: originOf(context, path) };
}

type SettledSpec = Omit<ClusterPolicy, 'kind' | 'name' | 'origin'>;

function settleSpec(context: ObjectContext, value: Value | undefined, path: Path, reader: KindReader): SettledSpec | undefined {
  const spec = readMap(context, value, path);
  if (spec === undefined) {
    refuse(context, [...path.slice(0, -1), 'kind'], 'missing-spec', `a ${reader.kind} needs a \`spec\``, { help: 'write its `spec`', leavesOut: 'nothing of it is known' });
  }
  if (spec === undefined || spec === REFUSED) return undefined;
  checkFields(context, spec, path, reader.specLevel, 'the policy may decide less than is written');
  const tier = reader.tier(spec, path);
  const priority = reader.priority(spec, path);
  const subject = readSubject(context, reader.dialect, spec['subject'], [...path, 'subject']);
  const ingress = readTierSection(context, reader.dialect, 'ingress', { value: spec['ingress'], path: [...path, 'ingress'] });
  const egress = readTierSection(context, reader.dialect, 'egress', { value: spec['egress'], path: [...path, 'egress'] });
  if (tier === REFUSED || priority === REFUSED || subject === undefined) return undefined;
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
