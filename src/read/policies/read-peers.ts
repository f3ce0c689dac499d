// Reads who a rule is for: selectors, and blocks of addresses.
import type { IpRange } from '../../base/ip-address.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import type { IpBlockPeer, NamespaceScope, Peer } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import { EVERYTHING } from '../../model/selector.ts';
import { checkFields } from '../values/check-fields.ts';
import { coversAll, isStrictlyInside, parseCidr, type Cidr } from '../values/cidr.ts';
import { readList, readMap, readText, REFUSED, shorten } from '../values/loose-value.ts';
import { originOf, refuse, remark, type ObjectContext } from '../values/object-context.ts';
import { readSelector } from '../values/read-selector.ts';
import type { LooseMap, Value } from '../text/yaml-value.ts';

const NOBODY = 'the peer matches nobody';

/** REFUSED: matches nobody, never everybody. */
export function readPeer(context: ObjectContext, value: Value, path: Path): Peer | typeof REFUSED {
  const map = readMap(context, value, path);
  if (map === REFUSED) return REFUSED;
  if (checkFields(context, map ?? {}, path, 'peer', 'the rest of the peer is left as it stands')) return REFUSED;
  const before = context.refusals;
  const peer = readKnownPeer(context, map ?? {}, path);
  return context.refusals > before ? REFUSED : peer;
}

function readKnownPeer(context: ObjectContext, map: LooseMap, path: Path): Peer | typeof REFUSED {
  const podSelector = readSelector(context, map['podSelector'], [...path, 'podSelector']);
  const namespaceSelector = readSelector(context, map['namespaceSelector'], [...path, 'namespaceSelector']);
  const ipBlock = readIpBlock(context, map['ipBlock'], [...path, 'ipBlock']);
  if (podSelector === REFUSED || namespaceSelector === REFUSED || ipBlock === REFUSED) return REFUSED;
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (ipBlock !== undefined && hasSelector) {
    refuse(context, path, 'mixed-peer', 'a peer is an `ipBlock` or selectors, not both', { help: 'make two list items of it', leavesOut: NOBODY });
    return REFUSED;
  }
  if (ipBlock !== undefined) return { ...ipBlock, origin: originOf(context, path) };
  if (!hasSelector) {
    refuse(context, path, 'empty-peer', 'a peer without `podSelector`, `namespaceSelector` or `ipBlock` is refused', {
      help: 'write `podSelector: {}` for the pods of this namespace, `namespaceSelector: {}` for all pods',
      leavesOut: NOBODY,
    });
    return REFUSED;
  }
  const namespaces: NamespaceScope = namespaceSelector === undefined ? { kind: 'own' } : { kind: 'selected', selector: namespaceSelector };
  return { kind: 'pods', namespaces, podSelector: podSelector ?? EVERYTHING, origin: originOf(context, path) };
}

function readIpBlock(context: ObjectContext, value: Value | undefined, path: Path): Omit<IpBlockPeer, 'origin'> | undefined | typeof REFUSED {
  const map = readMap(context, value, path);
  if (map === undefined || map === REFUSED) return map;
  checkFields(context, map, path, 'ipBlock', 'the block is left as large as the rest says');
  const cidr = readCidr(context, map['cidr'], [...path, 'cidr']);
  const excepts = readExcepts(context, map['except'], [...path, 'except'], cidr);
  if (cidr === undefined || excepts === undefined) return REFUSED;
  remarkEmptied(context, cidr, excepts, [...path, 'except']);
  const outside = excepts.length === 0 ? '' : ` except ${excepts.map(({ canonical }) => canonical).join(', ')}`;
  return { kind: 'ip-block', cidr: cidr.range, except: excepts.map(({ range }) => range), text: `${cidr.canonical}${outside}` };
}

function readExcepts(context: ObjectContext, value: Value | undefined, path: Path, block: Cidr | undefined): readonly Cidr[] | undefined {
  const list = readList(context, value, path);
  if (list === REFUSED) return undefined;
  const excepts: Cidr[] = [];
  let isClean = true;
  for (const [index, item] of (list ?? []).entries()) {
    const except = readCidr(context, item, [...path, index]);
    if (except !== undefined && (block === undefined || isInside(context, except, block, [...path, index]))) excepts.push(except);
    else isClean = false;
  }
  return isClean ? excepts : undefined;
}

function isInside(context: ObjectContext, except: Cidr, block: Cidr, path: Path): boolean {
  if (isStrictlyInside(except, block)) return true;
  refuse(context, path, 'except-outside-block', `\`${except.canonical}\` is not a smaller block inside \`${block.canonical}\``, { leavesOut: NOBODY });
  return false;
}

function readCidr(context: ObjectContext, value: Value | undefined, path: Path): Cidr | undefined {
  const text = readText(context, value, path);
  if (text === REFUSED) return undefined;
  const cidr = parseCidr(text ?? '');
  if (cidr === undefined) {
    refuse(context, path, 'invalid-cidr', text === undefined ? 'an `ipBlock` needs a `cidr`' : `\`${shorten(text)}\` is no address block`, { ...cidrHelp(text ?? ''), leavesOut: NOBODY });
    return undefined;
  }
  remarkSloppy(context, text ?? '', cidr, path);
  return cidr;
}

function cidrHelp(text: string): { readonly help: string; readonly replacement?: string } {
  const whole = text.includes(':') ? `${text.trim()}/128` : `${text.trim()}/32`;
  if (parseCidr(whole) !== undefined && !text.includes('/')) return { help: `write \`${whole}\` for this one address`, replacement: whole };
  return { help: 'write an address, `/` and a length, such as 10.9.8.0/24 or 2001:db8::/64' };
}

function remarkSloppy(context: ObjectContext, text: string, cidr: Cidr, path: Path): void {
  if (cidr.sloppiness === undefined) return;
  const why = {
    'host-bits': 'has bits set behind its length',
    'non-standard': 'is written in a way that will be refused some day',
    'non-canonical': 'has a canonical form',
  }[cidr.sloppiness];
  remark(context, path, 'sloppy-cidr', cidr.sloppiness === 'non-canonical' ? 'info' : 'warning', `\`${shorten(text)}\` ${why}: it is read as \`${cidr.canonical}\``, {
    help: `write \`${cidr.canonical}\``,
    replacement: cidr.canonical,
  });
}

function remarkEmptied(context: ObjectContext, block: Cidr, excepts: readonly Cidr[], path: Path): void {
  const ranges: readonly IpRange[] = excepts.map(({ range }) => range);
  if (ranges.length === 0 || !coversAll(ranges, block.range)) return;
  const { family, first, last } = block.range;
  const whole = `${formatIpAddress({ family, value: first })} to ${formatIpAddress({ family, value: last })}`;
  remark(context, path, 'ip-block-emptied', 'warning', `\`except\` takes everything out of \`${block.canonical}\` (${whole}): the peer matches nobody`, { help: 'take the peer away, or except less' });
}
