// Ranges of addresses as CIDRs: read and written.
import { ADDRESS_BITS, formatIpAddress, formatIpRange, parseIpAddress, type IpRange } from './ip-address.ts';

/** undefined: the word is no address and no CIDR. Host bits are masked. */
export function parseRange(word: string): IpRange | undefined {
  const slash = word.lastIndexOf('/');
  const address = parseIpAddress(slash < 0 ? word : word.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = ADDRESS_BITS[address.family];
  const prefixText = slash < 0 ? `${bits}` : word.slice(slash + 1);
  if (!/^[0-9]{1,3}$/.test(prefixText) || Number(prefixText) > bits) return undefined;
  const size = 1n << BigInt(bits - Number(prefixText));
  const first = address.value - (address.value % size);
  return { family: address.family, first, last: first + size - 1n };
}

/** `10.0.0.0/8`, a single address with its mask too. Throws where no CIDR says it. */
export function formatCidr(range: IpRange): string {
  const prefix = prefixLength(range);
  if (prefix === undefined) throw new Error(`bug: ${formatIpRange(range)} is no CIDR`);
  return `${formatIpAddress({ family: range.family, value: range.first })}/${prefix}`;
}

/** undefined: no CIDR says the range. */
export function prefixLength({ family, first, last }: IpRange): number | undefined {
  const size = last - first + 1n;
  const isCidr = (size & (size - 1n)) === 0n && first % size === 0n;
  return isCidr ? ADDRESS_BITS[family] - (size.toString(2).length - 1) : undefined;
}
