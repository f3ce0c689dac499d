// Ends of flows as small numbers: each different one is kept once.
import type { IpAddress } from '../base/ip-address.ts';
import type { FlowEnd } from './flow-record.ts';

/** Different ends that are kept; flows of more are counted as lost. */
export const ENDS_MAX: number = 1 << 20;

/** A class, for it grows. */
export class FlowEnds {
  readonly #byKey = new Map<string, number>();
  readonly #ends: FlowEnd[] = [];

  get all(): readonly FlowEnd[] {
    return this.#ends;
  }

  /** undefined: there is no room for one more. */
  intern(end: FlowEnd): number | undefined {
    const key = endKey(end);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      this.#keepLowest(known, end);
      return known;
    }
    if (this.#ends.length >= ENDS_MAX) return undefined;
    this.#byKey.set(key, this.#ends.length);
    return this.#ends.push(end) - 1;
  }

  /** Of the addresses of pods that are one end, so that the order of the flows says nothing. */
  #keepLowest(known: number, end: FlowEnd): void {
    const kept = this.#ends[known]!;
    if (end.kind === 'pod' && end.address !== undefined && kept.address !== undefined && end.address.value < kept.address.value) this.#ends[known] = { ...kept, address: end.address };
  }
}

/** Pods of a workload alike in all that a selector can see are one end over each family, whatever their addresses. */
export function endKey(end: FlowEnd): string {
  if (end.kind === 'outside') return `${addressKey(end.address)} ${end.node ?? ''} ${end.isOwnNode} ${end.names.join()}`;
  const { namespace, workload, pod, labels, namespaceLabels, address } = end;
  const one = pod === undefined ? (address?.family ?? '') : `${pod} ${address === undefined ? '' : addressKey(address)}`;
  return `${namespace}/${workload.kind}/${workload.name}/${one}\n${labelsKey(labels)}\n${labelsKey(namespaceLabels)}`;
}

function addressKey({ family, value }: IpAddress): string {
  return `${family} ${value}`;
}

export function labelsKey(labels: ReadonlyMap<string, string>): string {
  let key = '';
  for (const [name, value] of labels) key += `${name}=${value},`;
  return key;
}
