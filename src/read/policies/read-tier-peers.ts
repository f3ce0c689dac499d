// Reads whom a rule or the subject of a cluster-wide policy means: pods, nodes, networks, names of domains.
import { parseIpAddress } from '../../base/ip-address.ts';
import type { ScopedPods, TierPeer } from '../../model/cluster-policy.ts';
import type { Direction } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import { EVERYTHING, type Selector } from '../../model/selector.ts';
import { checkFields, FIELDS } from '../values/check-fields.ts';
import { parseCidr } from '../values/cidr.ts';
import { lastName, readList, readMap, readText, REFUSED, shorten, type Loose } from '../values/loose-value.ts';
import { originOf, refuse, remark, type ObjectContext } from '../values/object-context.ts';
import { readSelector } from '../values/read-selector.ts';
import type { TierDialect } from './tier-dialect.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

interface PeerMap {
  readonly map: LooseMap;
  readonly path: Path;
}

/** A peer of networks or names is one for each of them. Findings say what could not be understood; then the rule is closed. */
export function readTierPeer(context: ObjectContext, dialect: TierDialect, direction: Direction, { map, path }: PeerMap): readonly TierPeer[] {
  const level = dialect.peerLevel[direction];
  checkFields(context, map, path, level, '');
  const field = soleField(context, map, path, FIELDS[level]);
  const origin = originOf(context, path);
  switch (field) {
    case 'nodes': {
      const selector = readSelector(context, map['nodes'], [...path, 'nodes']);
      return isRead(selector) ? [{ kind: 'nodes', selector, origin }] : [];
    }
    case 'networks':
      return readTexts(context, map['networks'], [...path, 'networks'], readNetwork);
    case 'domainNames':
      return readTexts(context, map['domainNames'], [...path, 'domainNames'], readDomainName);
    case undefined:
      return [];
    default: {
      const scope = readScope(context, dialect, map, path);
      return scope === undefined ? [] : [{ kind: 'scoped-pods', ...scope, origin }];
    }
  }
}

/** Of `namespaces` and `pods` exactly one. */
export function readScope(context: ObjectContext, dialect: TierDialect, map: LooseMap, path: Path): ScopedPods | undefined {
  const field = soleField(context, map, path, FIELDS.subject);
  if (field === undefined) return undefined;
  if (field === 'pods') return readPods(context, dialect, map['pods'], [...path, 'pods']);
  const selector = readSelector(context, map['namespaces'], [...path, 'namespaces']);
  return isRead(selector) ? { namespaceSelector: selector, podSelector: EVERYTHING } : undefined;
}

function isRead(selector: Loose<Selector>): selector is Selector {
  return selector !== undefined && selector !== REFUSED;
}

/** A null field counts as missing: the server drops it. */
function soleField(context: ObjectContext, map: LooseMap, path: Path, known: readonly string[]): string | undefined {
  const fields = known.filter((field) => (map[field] ?? null) !== null);
  if (fields.length === 1) return fields[0];
  const words = known.map((field) => `\`${field}\``).join(', ');
  // An unknown field has its own finding already, and is why none of the known is here.
  const isUnknown = fields.length === 0 && Object.keys(map).some((field) => !known.includes(field));
  if (fields.length > 1) refuse(context, path, 'mixed-peer', `${lastName(path)} takes exactly one of ${words}, and has ${fields.length}`, { help: 'make a list item of each' });
  else if (!isUnknown) refuse(context, path, 'empty-peer', `${lastName(path)} needs one of ${words}`, { help: 'write `namespaces: {}` for every pod' });
  return undefined;
}

function readPods(context: ObjectContext, dialect: TierDialect, value: Value | undefined, path: Path): ScopedPods | undefined {
  const map = readMap(context, value, path);
  if (map === undefined || map === REFUSED) return undefined;
  checkFields(context, map, path, 'pods', '');
  const podSelector = readSelector(context, map['podSelector'], [...path, 'podSelector']);
  const namespaceSelector = readSelector(context, map['namespaceSelector'], [...path, 'namespaceSelector']);
  if (podSelector === undefined) refuse(context, path, 'missing-field', '`pods` needs a `podSelector`', { help: 'write `podSelector: {}` for every pod of the namespaces' });
  if (namespaceSelector === undefined && dialect.needsNamespaceSelector) refuse(context, path, 'missing-field', '`pods` needs a `namespaceSelector`', { help: 'write `namespaceSelector: {}` for every namespace' });
  if (!isRead(podSelector) || namespaceSelector === REFUSED) return undefined;
  // NamespacedPod of v1alpha2: all namespaces, and not the policy's own, for it has none.
  return { namespaceSelector: namespaceSelector ?? EVERYTHING, podSelector };
}

/** Of `networks` and of `domainNames` in one peer. */
const TEXTS_MAX = 25;

function readTexts(context: ObjectContext, value: Value | undefined, path: Path, readOne: (context: ObjectContext, text: string, path: Path) => TierPeer | undefined): readonly TierPeer[] {
  const list = readList(context, value, path);
  if (list === undefined || list === REFUSED) return [];
  if (list.length === 0) refuse(context, path, 'empty-list', `${lastName(path)} needs at least one entry`);
  if (list.length > TEXTS_MAX) refuse(context, path, 'too-many-items', `${list.length} items stand here, and ${TEXTS_MAX} are the most that the API takes`, { help: 'put the rest into another peer' });
  const seen = new Set<string>();
  return list.flatMap((item, index) => {
    const place = [...path, index];
    const text = readText(context, item, place);
    if (text === REFUSED) return [];
    if (seen.has(text ?? '')) refuse(context, place, 'duplicate-item', `\`${shorten(text ?? '')}\` stands in ${lastName(path)} twice`, { help: 'keep one of the two' });
    seen.add(text ?? '');
    return readOne(context, text ?? '', place) ?? [];
  });
}

function readNetwork(context: ObjectContext, text: string, path: Path): TierPeer | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined || !isStandardCidr(text)) {
    const repair = cidr === undefined ? { help: 'write an address, `/` and a length, such as 10.9.8.0/24' } : { help: `write \`${cidr.canonical}\``, replacement: cidr.canonical };
    refuse(context, path, 'invalid-cidr', `\`${shorten(text)}\` is no address block`, repair);
    return undefined;
  }
  if (cidr.sloppiness === 'host-bits') {
    remark(context, path, 'sloppy-cidr', 'warning', `\`${shorten(text)}\` has bits set behind its length: it is read as \`${cidr.canonical}\``, { help: `write \`${cidr.canonical}\``, replacement: cidr.canonical });
  }
  return { kind: 'ip-block', cidr: cidr.range, except: [], text: cidr.canonical, origin: originOf(context, path) };
}

const CIDR_LENGTH_MAX = 43;

/** As the server's `isCIDR` has it: host bits may be set; no leading zeros, no IPv4 address inside an IPv6 one (k8s.io/apiserver, cel/library/cidr.go). */
function isStandardCidr(text: string): boolean {
  const slash = text.lastIndexOf('/');
  const address = parseIpAddress(text.slice(0, slash));
  if (address === undefined || text.length > CIDR_LENGTH_MAX || !/^(0|[1-9][0-9]{0,2})$/.test(text.slice(slash + 1))) return false;
  return address.family === 4 || address.value >> 32n !== 0xffffn;
}

/** The CRD's own pattern, its `A-z` with the signs between `Z` and `a` included. */
const DOMAIN_NAME = /^(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;

/** Case and a trailing dot are nothing to DNS. */
function readDomainName(context: ObjectContext, text: string, path: Path): TierPeer | undefined {
  if (!DOMAIN_NAME.test(text)) {
    refuse(context, path, 'invalid-value', `\`${shorten(text)}\` is no domain name with a dot in it, \`*.\` allowed in front`);
    return undefined;
  }
  return { kind: 'domain-name', pattern: text.toLowerCase().replace(/\.$/, ''), origin: originOf(context, path) };
}
