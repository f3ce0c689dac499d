// Which rules decided a flow, asked of the policies in force once for each pair of ends and port, and remembered until they change.
import { comparePods } from '../model/cluster-order.ts';
import type { Cluster, Pod } from '../model/cluster.ts';
import { judgeRecords } from '../flow/flow.ts';
import { flowPoint } from '../flow/flow-protocol.ts';
import type { FlowEnd, FlowReason, FlowRecord } from '../flow/flow-record.ts';

/** Answers that are remembered; a node with more different flows asks again. */
const REASONS_MAX = 16_384;

/** So that what it takes to judge them is soon given back. */
const JUDGED_AT_ONCE = 1_024;

/** A class, for it remembers. */
export class FlowReasons {
  readonly #known = new Map<string, FlowReason>();
  /** Few differ, and each is large. */
  readonly #distinct = new Map<string, FlowReason>();
  readonly #numbers = new WeakMap<FlowEnd, number>();
  #next = 0;

  /** Policies or namespaces are others. */
  forget(): void {
    this.#known.clear();
    this.#distinct.clear();
  }

  /** In the order of the records. `pods` are those at their ends, as they were. Only these are compiled, so the cost follows them and the policies. */
  reasonsOf(cluster: Cluster, records: readonly FlowRecord[], podOf: (end: FlowEnd) => Pod | undefined): readonly (FlowReason | undefined)[] {
    if (this.#known.size > REASONS_MAX) this.forget();
    const keys = records.map((record) => this.#keyOf(record));
    const found = new Map(keys.map((key) => [key, this.#known.get(key)]));
    let missing: readonly Asked[] = [...new Map(records.map((record, index) => [keys[index]!, record]))].filter(([key]) => found.get(key) === undefined);
    while (missing.length > 0) {
      const { now, later, pods } = withoutTwins(missing.slice(0, JUDGED_AT_ONCE), podOf);
      const judged = judgeRecords({ ...cluster, pods }, now.map(([, record]) => record));
      for (const [index, [key]] of now.entries()) {
        const reason = this.#oneOf(judged[index]!.reason);
        found.set(key, reason);
        if (reason !== undefined) this.#known.set(key, reason);
      }
      missing = [...later, ...missing.slice(JUDGED_AT_ONCE)];
    }
    return keys.map((key) => found.get(key));
  }

  #oneOf(reason: FlowReason | undefined): FlowReason | undefined {
    if (reason === undefined) return undefined;
    const text = JSON.stringify(reason);
    const held = this.#distinct.get(text);
    if (held === undefined) this.#distinct.set(text, reason);
    return held ?? reason;
  }

  #keyOf({ source, target, family, protocol, port }: FlowRecord): string {
    return `${this.#numberOf(source)} ${this.#numberOf(target)} ${family} ${flowPoint(protocol, port)}`;
  }

  #numberOf(end: FlowEnd): number {
    let number = this.#numbers.get(end);
    if (number === undefined) this.#numbers.set(end, (number = this.#next++));
    return number;
  }
}

type Asked = readonly [key: string, record: FlowRecord];

/** A pod that is another than a moment ago, under the same name or address, is judged in a turn of its own. */
function withoutTwins(asked: readonly Asked[], podOf: (end: FlowEnd) => Pod | undefined): { readonly now: readonly Asked[]; readonly later: readonly Asked[]; readonly pods: readonly Pod[] } {
  const byName = new Map<string, Pod>();
  const byAddress = new Map<string, Pod>();
  const alone = new Set<Pod>();
  const [now, later]: [Asked[], Asked[]] = [[], []];
  for (const one of asked) {
    const pods = [one[1].source, one[1].target].flatMap((end) => podOf(end) ?? []);
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
