// The edit that takes blocks out of an ipBlock.
import type { TextEdit } from '../../base/finding.ts';
import type { IpBlockPeer } from '../../model/network-policy.ts';
import { below, locateOrigin } from '../../model/origin.ts';
import { addItem, insertion } from './block-list.ts';
import { isWritten } from './policy-place.ts';

/** How far behind the beginning of its map the value of `cidr` stands, where it is the first key: in block style, and in flow style. */
const BLOCK_OFFSET = 'cidr: '.length;
const FLOW_OFFSETS: readonly number[] = ['{cidr: '.length, '{ cidr: '.length];

/** Adds to `except`, or writes one; none where the text is laid out in a way of its own. */
export function exceptEdit({ origin, except }: IpBlockPeer, cidrs: readonly string[]): TextEdit[] {
  const texts = cidrs.map((cidr) => (cidr.includes(':') ? JSON.stringify(cidr) : cidr));
  return except.length > 0 ? addToList(origin, texts, except.length) : addList(origin, texts);
}

function addToList(origin: IpBlockPeer['origin'], texts: readonly string[], count: number): TextEdit[] {
  const list = below(origin, 'ipBlock', 'except');
  const items = Array.from({ length: count }, (_, index) => below(list, index));
  return texts.flatMap((text) => addItem(list, items, 0, { block: [text], flow: text }));
}

function addList(origin: IpBlockPeer['origin'], texts: readonly string[]): TextEdit[] {
  const { start } = locateOrigin(below(origin, 'ipBlock')).range;
  const cidr = locateOrigin(below(origin, 'ipBlock', 'cidr')).range;
  if (cidr.start.line !== start.line || isWritten(below(origin, 'ipBlock'), 'except')) return []; // empty or null
  const offset = cidr.start.column - start.column;
  if (FLOW_OFFSETS.includes(offset)) return [insertion(cidr.end, `, except: [${texts.join(', ')}]`)];
  if (offset !== BLOCK_OFFSET) return [];
  const pad = ' '.repeat(start.column - 1);
  return [insertion(start, `except:\n${texts.map((text) => `${pad}- ${text}\n`).join('')}${pad}`)];
}
