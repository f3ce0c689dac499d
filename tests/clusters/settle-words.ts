// Words that all kinds of policy share, settled by the letter: selectors, blocks of addresses; and the one place where all of it stands.
import { ADDRESS_BITS, parseIpAddress, type IpRange } from '../../src/base/ip-address.ts';
import { unwrittenDocument, type Origin, type Path } from '../../src/model/origin.ts';
import type { Requirement, Selector } from '../../src/model/selector.ts';
import type * as raw from './raw-cluster.ts';

const NOWHERE = unwrittenDocument('random');

export function origin(...path: Path): Origin {
  return { document: NOWHERE, path };
}

export function settleSelector(selector: raw.RawSelector | null | undefined): Selector {
  const labels: Requirement[] = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ kind: 'In', key, values: [value] }));
  const expressions = (selector?.matchExpressions ?? []).map(({ key, operator, values }): Requirement =>
    operator === 'In' || operator === 'NotIn' ? { kind: operator, key, values: values ?? [] } : { kind: readable(operator), key },
  );
  return { requirements: [...labels, ...expressions] };
}

function readable(operator: raw.RawExpression['operator']): 'Exists' | 'DoesNotExist' {
  if (operator === 'Exists' || operator === 'DoesNotExist') return operator;
  throw new Error(`nobody understands the operator ${operator}`);
}

/** `10.0.0.5/24` with its host bits masked, as the server reads it. */
export function parseBlock(cidr: string): IpRange {
  const [text, mask] = cidr.split('/');
  const address = parseIpAddress(text!)!;
  const size = 1n << BigInt(ADDRESS_BITS[address.family] - Number(mask));
  const first = address.value - (address.value % size);
  return { family: address.family, first, last: first + size - 1n };
}
