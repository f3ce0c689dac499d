// Which rules decided a flow, asked of the policies in force once for each pair of ends and port, and remembered until they change.
import { flowPoint } from '../flow/flow-protocol.ts';
import type { FlowEnd, FlowReason, FlowRecord } from '../flow/flow-record.ts';
import { judgeRecords } from '../flow/flow.ts';
import { comparePods } from '../model/cluster-order.ts';
import type { Cluster, Pod } from '../model/cluster.ts';

/** Answers that are remembered; a node with more different flows asks again. */
const REASONS_MAX = 16_384;

/** So that what it takes to judge them is soon given back. */
const JUDGED_AT_ONCE = 1_024;

/** A class, for it remembers. */
export class FlowReasons {
  /** By the ends' numbers: the source's, then the target's with family and port. */
  readonly #known = new Map<number, Map<number, FlowReason>>();
  #size = 0;
  /** Few differ, and each is large. */
  readonly #distinct = new Map<string, FlowReason>();
  readonly #numbers = new WeakMap<FlowEnd, number>();
  #next = 0;

  /** Policies or namespaces are others. */
  forget(): void {
    this.#known.clear();
    this.#size = 0;
    this.#distinct.clear();
  }

  /** In the order of the records. `pods` are those at their ends, as they were. Only these are compiled, so the cost follows them and the policies. */
  reasonsOf(cluster: Cluster, records: readonly FlowRecord[], podOf: (end: FlowEnd) => Pod | undefined): readonly (FlowReason | undefined)[] {
    if (this.#size > REASONS_MAX) this.forget();
    const found = records.map((record) => this.#knownOf(record));
    let missing: readonly Asked[] = found.flatMap((reason, index) => (reason === undefined ? [{ index, record: records[index]! }] : []));
    while (missing.length > 0) {
      const { now, later, pods } = withoutTwins(missing.slice(0, JUDGED_AT_ONCE), podOf);
      const judged = judgeRecords({ ...cluster, pods }, now.map(({ record }) => record));
      for (const [at, { index, record }] of now.entries()) {
        const reason = this.#oneOf(judged[at]!.reason);
        found[index] = reason;
        if (reason !== undefined) this.#keep(record, reason);
      }
      missing = [...later, ...missing.slice(JUDGED_AT_ONCE)];
    }
    return found;
  }

  #knownOf(record: FlowRecord): FlowReason | undefined {
    return this.#known.get(this.#numberOf(record.source))?.get(this.#restOf(record));
  }

  #keep(record: FlowRecord, reason: FlowReason): void {
    const source = this.#numberOf(record.source);
    let ofSource = this.#known.get(source);
    if (ofSource === undefined) this.#known.set(source, (ofSource = new Map()));
    const rest = this.#restOf(record);
    if (!ofSource.has(rest)) this.#size++;
    ofSource.set(rest, reason);
  }

  #oneOf(reason: FlowReason | undefined): FlowReason | undefined {
    if (reason === undefined) return undefined;
    const text = JSON.stringify(reason);
    const held = this.#distinct.get(text);
    if (held === undefined) this.#distinct.set(text, reason);
    return held ?? reason;
  }

  /** No two of one source have the same: points of ports need fewer than 2^20, and ends of one process fewer than 2^32. */
  #restOf({ target, family, protocol, port }: FlowRecord): number {
    return this.#numberOf(target) * 2 ** 21 + (family === 4 ? 0 : 2 ** 20) + flowPoint(protocol, port);
  }

  #numberOf(end: FlowEnd): number {
    let number = this.#numbers.get(end);
    if (number === undefined) this.#numbers.set(end, (number = this.#next++));
    return number;
  }
}

interface Asked {
  /** Where it stands among the records. */
  readonly index: number;
  readonly record: FlowRecord;
}

/** A pod that is another than a moment ago, under the same name or address, is judged in a turn of its own. */
function withoutTwins(asked: readonly Asked[], podOf: (end: FlowEnd) => Pod | undefined): { readonly now: readonly Asked[]; readonly later: readonly Asked[]; readonly pods: readonly Pod[] } {
  const byName = new Map<string, Pod>();
  const byAddress = new Map<string, Pod>();
  const alone = new Set<Pod>();
  const [now, later]: [Asked[], Asked[]] = [[], []];
  for (const one of asked) {
    const pods = [one.record.source, one.record.target].flatMap((end) => podOf(end) ?? []);
    if (pods.every((pod) => alone.has(pod))) {
      now.push(one);
      continue;
    }
    const names = pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod] as const);
    const addresses = pods.flatMap((pod) => pod.addresses.map(({ family, value }) => [`${family} ${value}`, pod] as const));
    const isTwin = names.some(([name, pod]) => (byName.get(name) ?? pod) !== pod) || addresses.some(([address, pod]) => (byAddress.get(address) ?? pod) !== pod);
    if (isTwin && now.length > 0) later.push(one);
    else {
      now.push(one);
      for (const [name, pod] of names) byName.set(name, pod);
      for (const [address, pod] of addresses) byAddress.set(address, pod);
      if (!isTwin) for (const pod of pods) alone.add(pod);
    }
  }
  return { now, later, pods: [...new Set(byName.values())].sort(comparePods) };
}
