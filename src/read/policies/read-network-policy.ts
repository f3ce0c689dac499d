// Reads a NetworkPolicy as the API server validates and defaults it (kubernetes `networking/validation` and `v1/defaults.go`).
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import type { Direction, NetworkPolicy, PolicyRule, RulePeers, RulePorts } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import { EVERYTHING } from '../../model/selector.ts';
import { checkFields } from '../values/check-fields.ts';
import { checkMetadata } from '../values/check-metadata.ts';
import { remarkCutOff } from './cut-off.ts';
import { fillField, insertField, insertWord } from '../values/field-edits.ts';
import { createFindingList } from '../values/finding-list.ts';
import { readList, readMap, readText, REFUSED, shorten, withoutRefused, type Loose } from '../values/loose-value.ts';
import { originOf, refuse, remark, type ObjectContext } from '../values/object-context.ts';
import type { LabelCache } from '../values/read-labels.ts';
import { readPeer } from './read-peers.ts';
import { readPortMatch } from '../values/read-ports.ts';
import { readSelector } from '../values/read-selector.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

const LEFT_OUT = 'the policy is left out of the answer, which may show more open than it would be';

interface PolicyObject {
  readonly map: LooseMap;
  readonly path: Path;
  readonly namespace: string;
  readonly name: string;
}

/** undefined: refused, with findings that say why. With `lenient`, what cannot be understood in a rule allows nothing. */
export function readNetworkPolicy(context: ObjectContext, cache: LabelCache, object: PolicyObject): NetworkPolicy | undefined {
  const { map, path } = object;
  checkFields(context, map, path, 'object', 'nothing else changes');
  remarkCutOff(context, map, path);
  const isNamed = checkMetadata(context, cache, map, [...path, 'metadata'], object.name);
  const specPath = [...path, 'spec'];
  const spec = readMap(context, map['spec'], specPath);
  const settled = spec === REFUSED ? undefined : settleSpec(context, spec, specPath, path);
  const isRefused = settled === undefined || !isNamed || (!context.settings.isLenient && context.refusals > 0);
  if (isRefused) {
    if (context.settings.isLenient) remark(context, [...path, 'metadata', 'name'], 'policy-left-out', 'warning', LEFT_OUT);
    return undefined;
  }
  return { kind: 'NetworkPolicy', namespace: object.namespace, name: object.name, ...settled, origin: originOf(context, path) };
}

/**
 * As a server holds it, which has looked at it before: what cannot be understood allows nothing, and where that is more
 * than a rule, the policy closes whom it selects, or may select. An error among the findings tells of it.
 */
export function readStoredNetworkPolicy(context: ObjectContext, { map, path, namespace, name }: PolicyObject): NetworkPolicy {
  const specPath = [...path, 'spec'];
  const spec = readMap(context, map['spec'], specPath);
  const settled = spec === REFUSED ? undefined : settleSpec(context, spec, specPath, path);
  return { kind: 'NetworkPolicy', namespace, name, ...(settled ?? closeSpec(context, spec === REFUSED ? undefined : spec, specPath)), origin: originOf(context, path) };
}

/** Its findings have been made before. */
function closeSpec(context: ObjectContext, spec: LooseMap | undefined, path: Path): SettledSpec {
  const quiet: ObjectContext = { ...context, findings: createFindingList() };
  const podSelector = readSelector(quiet, spec?.['podSelector'], [...path, 'podSelector']);
  const types = readPolicyTypes(quiet, spec?.['policyTypes'], [...path, 'policyTypes']);
  const governed = spec === undefined || types === REFUSED ? { ingress: true, egress: true } : governedDirections(types, spec);
  return {
    podSelector: podSelector === undefined || podSelector === REFUSED ? EVERYTHING : podSelector,
    ingress: governed.ingress ? [] : undefined,
    egress: governed.egress ? [] : undefined,
  };
}

type SettledSpec = Pick<NetworkPolicy, 'podSelector' | 'ingress' | 'egress'>;

function settleSpec(context: ObjectContext, spec: LooseMap | undefined, path: Path, objectPath: Path): SettledSpec | undefined {
  if (spec === undefined) {
    remark(context, [...objectPath, 'kind'], 'missing-spec', 'warning', 'the policy has no `spec`: it selects every pod of its namespace and lets nothing in', { help: 'write a `spec`, or delete the policy' });
    return { podSelector: EVERYTHING, ingress: [], egress: undefined };
  }
  if (checkFields(context, spec, path, 'spec', 'the policy may govern fewer directions and allow less')) return undefined;
  const podSelector = readSelector(context, spec['podSelector'], [...path, 'podSelector']);
  if (podSelector === undefined) {
    remark(context, path, 'missing-pod-selector', 'warning', 'without `podSelector` the policy selects every pod of its namespace', {
      help: 'write `podSelector: {}` if that is meant',
      atKey: true,
      edits: 'podSelector' in spec ? fillField(context.document, [...path, 'podSelector'], '{}') : insertField(context.document, path, spec, 'podSelector: {}'),
    });
  }
  const types = readPolicyTypes(context, spec['policyTypes'], [...path, 'policyTypes']);
  const ingress = readRules(context, 'ingress', spec['ingress'], [...path, 'ingress']);
  const egress = readRules(context, 'egress', spec['egress'], [...path, 'egress']);
  if (podSelector === REFUSED || types === REFUSED) return undefined;
  const governed = governedDirections(types, spec);
  if (!governed.ingress && ingress !== undefined) remarkWithoutEffect(context, 'ingress', { types, spec, path });
  if (!governed.egress && egress !== undefined) remarkWithoutEffect(context, 'egress', { types, spec, path });
  return {
    podSelector: podSelector ?? EVERYTHING,
    ingress: governed.ingress ? (ingress ?? []) : undefined,
    egress: governed.egress ? (egress ?? []) : undefined,
  };
}

/** Defaults of `policyTypes`: ingress always, egress when it has a rule. */
function governedDirections(types: readonly string[] | undefined, spec: LooseMap): Readonly<Record<Direction, boolean>> {
  if (types !== undefined && types.length > 0) return { ingress: types.includes('Ingress'), egress: types.includes('Egress') };
  const egress = spec['egress'];
  // An `egress` of a wrong type has been refused; in the lenient reading it governs, and allows nothing.
  return { ingress: true, egress: Array.isArray(egress) ? egress.length > 0 : egress !== undefined && egress !== null };
}

interface WrittenTypes {
  readonly types: readonly string[] | undefined;
  readonly spec: LooseMap;
  /** Of the spec. */
  readonly path: Path;
}

function remarkWithoutEffect(context: ObjectContext, direction: Direction, { types = [], spec, path }: WrittenTypes): void {
  const type = typeOf(direction);
  const why = types.length === 0 ? 'an empty `egress` without `policyTypes` does not isolate' : `\`policyTypes\` does not name ${type}`;
  const edits = 'policyTypes' in spec ? insertWord(context.document, [...path, 'policyTypes'], types.length, type) : insertField(context.document, path, spec, `policyTypes: [Ingress, ${type}]`);
  remark(context, [...path, direction], 'section-without-effect', 'warning', `\`${direction}\` has no effect: ${why}`, { help: `add \`${type}\` to \`policyTypes\`, or take \`${direction}\` away`, atKey: true, edits });
}

function typeOf(direction: Direction): string {
  return direction === 'ingress' ? 'Ingress' : 'Egress';
}

const POLICY_TYPES = ['Ingress', 'Egress'];

function readPolicyTypes(context: ObjectContext, value: Value | undefined, path: Path): Loose<readonly string[]> {
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return list;
  const before = context.refusals;
  if (list.length > POLICY_TYPES.length) refuse(context, path, 'invalid-policy-type', '`policyTypes` takes at most two entries');
  const types: string[] = [];
  for (const [index, item] of list.entries()) {
    const text = readText(context, item, [...path, index]);
    if (text === REFUSED) continue;
    if (!POLICY_TYPES.includes(text ?? '')) refusePolicyType(context, text ?? '', [...path, index]);
    types.push(text ?? '');
  }
  return context.refusals > before ? REFUSED : types;
}

function refusePolicyType(context: ObjectContext, text: string, path: Path): void {
  const nears = POLICY_TYPES.filter((type) => nearestWordAnyCase(text.trim(), [type]) !== undefined);
  const near = POLICY_TYPES.find((type) => type.toLowerCase() === text.trim().toLowerCase()) ?? (nears.length === 1 ? nears[0] : undefined);
  const repair = near === undefined ? {} : { help: `write \`${near}\``, replacement: near };
  refuse(context, path, 'invalid-policy-type', `\`${shorten(text)}\` is no policy type: the two are Ingress and Egress`, repair);
}

/** undefined: the section is missing. A section that cannot be understood has no rules. */
function readRules(context: ObjectContext, direction: Direction, value: Value | undefined, path: Path): readonly PolicyRule[] | undefined {
  const list = readList(context, value, path);
  if (list === undefined) return undefined;
  if (list === REFUSED) return [];
  return withoutRefused(list.map((item, index) => readRule(context, direction, item, [...path, index], index)));
}

function readRule(context: ObjectContext, direction: Direction, value: Value, path: Path, index: number): PolicyRule | typeof REFUSED {
  const map = readMap(context, value, path);
  if (map === REFUSED) return REFUSED;
  const rule = map ?? {};
  const side = direction === 'ingress' ? 'from' : 'to';
  if (checkFields(context, rule, path, `${direction} rule`, whenRuleFieldDropped(rule, side))) return REFUSED;
  const peers = readRulePeers(context, rule[side], [...path, side]);
  const ports = readRulePorts(context, rule['ports'], [...path, 'ports']);
  return { index, peers, ports, origin: originOf(context, path) };
}

function whenRuleFieldDropped(rule: LooseMap, side: 'from' | 'to'): string {
  const isOpen = (field: Value | undefined): boolean => field === undefined || field === null || (Array.isArray(field) && field.length === 0);
  const opened = [...(isOpen(rule[side]) ? ['every peer'] : []), ...(isOpen(rule['ports']) ? ['every port'] : [])];
  return opened.length === 0 ? 'the rest of the rule is left as it stands' : `the rule is left allowing ${opened.join(' and ')}`;
}

/** Missing, null and empty are everybody; a list of which nothing could be understood is nobody. */
function readRulePeers(context: ObjectContext, value: Value | undefined, path: Path): RulePeers {
  const list = readList(context, value, path);
  if (list === REFUSED) return { kind: 'listed', peers: [] };
  if (list === undefined || list.length === 0) return { kind: 'everybody' };
  return { kind: 'listed', peers: withoutRefused(list.map((item, index) => readPeer(context, item, [...path, index]))) };
}

function readRulePorts(context: ObjectContext, value: Value | undefined, path: Path): RulePorts {
  const list = readList(context, value, path);
  if (list === REFUSED) return { kind: 'listed', ports: [] };
  if (list === undefined || list.length === 0) return { kind: 'every' };
  return { kind: 'listed', ports: withoutRefused(list.map((item, index) => readPortMatch(context, item, [...path, index]))) };
}
