// The numbers that stand in the ledger in place of a profile when a packet was refused; all above every id.
import type { Refusal } from '../firewall.ts';

export const REFUSAL_CODE: Readonly<Record<Refusal, number>> = {
  ingress: 0x00ffffff,
  egress: 0x00fffffe,
  'unknown-pod': 0x00fffffd,
  'no-connection': 0x00fffffc,
};

const REFUSAL_BY_CODE: ReadonlyMap<number, Refusal> = new Map(Object.entries(REFUSAL_CODE).map(([name, code]) => [code, name as Refusal]));

export function refusalOf(code: number): Refusal | undefined {
  return REFUSAL_BY_CODE.get(code);
}
