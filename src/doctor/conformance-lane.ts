// One case of conformance after the other, in two namespaces and with four pods of their own.
import type { Clock } from '../base/clock.ts';
import { CASE_DIRECTIONS, CLOSED_SPECS, OPEN_STATE, statesOf, type CaseState, type ConformanceCase, type ConformancePods } from './conformance-cases.ts';
import { expectedConnections } from './expected-connections.ts';
import { observe, wrongText } from './observe.ts';
import { GroundError, type ProbeGround, type ReadyPod } from './probe-ground.ts';
import type { ProbePod } from './probe-pods.ts';

export interface CaseResult {
  readonly name: string;
  readonly holds: boolean;
  /** The slowest of its changes, at most; milliseconds. */
  readonly effectMs: number | undefined;
  readonly wrong: readonly string[];
  readonly connections: number;
  readonly tookMs: number;
}

export interface LaneOptions {
  /** From 0. */
  readonly number: number;
  readonly nodes: readonly string[];
  readonly image: string;
  readonly patience: CasePatience;
}

export interface CasePatience {
  readonly clock: Clock;
  /** How long a policy may take to have its effect; 0 for a single look. */
  readonly effectMs: number;
  /** How long it may take until nothing is refused any more. */
  readonly openMs: number;
}

const POLICY = 'case';

/** A class, for it knows in which state its pods were left. */
export class Lane {
  readonly #ground: ProbeGround;
  readonly #pods: ConformancePods;
  #state: CaseState = OPEN_STATE;

  private constructor(ground: ProbeGround, pods: ConformancePods) {
    this.#ground = ground;
    this.#pods = pods;
  }

  /** Peers stand on the subject's node and on the next one, where there is one; each lane begins with another node. */
  static async open(ground: ProbeGround, { number, nodes, image, patience }: LaneOptions): Promise<Lane> {
    const [here, there] = [nodes[number % nodes.length]!, nodes[(number + 1) % nodes.length]!];
    const own = number === 0 ? ground.name : `${ground.name}-${number}`;
    await ground.addNamespace(own);
    await ground.addNamespace(`${own}-far`, { team: 'far' });
    const wanted: readonly ProbePod[] = [
      { namespace: own, name: 'subject', node: here, labels: { role: 'subject' } },
      { namespace: own, name: 'near', node: here, labels: OPEN_STATE.labels.near },
      { namespace: own, name: 'mate', node: there, labels: OPEN_STATE.labels.mate },
      { namespace: `${own}-far`, name: 'far', node: there, labels: OPEN_STATE.labels.far },
    ];
    const { ready, missing } = await ground.addPods(wanted);
    const [absent] = missing;
    if (absent !== undefined) throw new GroundError(`the probe pod ${absent[0]} does not get ready: ${absent[1]}`, `see whether the nodes can pull ${image}, or name another image with --image`);
    const named = (name: string): ReadyPod => ready.find((pod) => pod.name === name)!; // none is missing
    const lane = new Lane(ground, { subject: named('subject'), near: named('near'), mate: named('mate'), far: named('far') });
    await lane.#holdOpen(patience);
    return lane;
  }

  /** Whether a policy that refuses everything in a direction has its effect in time. */
  async canClose(direction: ConformanceCase['direction'], { clock, effectMs }: CasePatience): Promise<boolean> {
    await this.#enter({ spec: CLOSED_SPECS[direction], labels: OPEN_STATE.labels });
    const { isRight } = await observe(this.#ground, expectedConnections(this.#state, this.#pods, direction), { clock, withinMs: effectMs });
    return isRight;
  }

  /** From the open cluster through each state of the case; every one is seen before the next begins. */
  async run(one: ConformanceCase, { clock, effectMs, openMs }: CasePatience): Promise<CaseResult> {
    const start = clock.elapsedMs();
    const effects: number[] = [];
    let connections = 0;
    for (const state of [OPEN_STATE, ...statesOf(one, this.#pods)]) {
      await this.#enter(state);
      const seen = await observe(this.#ground, expectedConnections(state, this.#pods, one.direction), { clock, withinMs: state === OPEN_STATE ? openMs : effectMs });
      connections += seen.tried;
      if (!seen.isRight) return { name: one.name, holds: false, effectMs: undefined, wrong: seen.wrong.map(wrongText), connections, tookMs: clock.elapsedMs() - start };
      if (state !== OPEN_STATE) effects.push(seen.effectMs!);
    }
    return { name: one.name, holds: true, effectMs: Math.max(...effects), wrong: [], connections, tookMs: clock.elapsedMs() - start };
  }

  /** Where pods do not reach one another anyway nothing is learned of policies. */
  async #holdOpen({ clock, openMs }: CasePatience): Promise<void> {
    const all = CASE_DIRECTIONS.flatMap((direction) => expectedConnections(OPEN_STATE, this.#pods, direction));
    const { wrong } = await observe(this.#ground, all, { clock, withinMs: openMs });
    const [first] = wrong;
    if (first !== undefined) throw new GroundError(`without any policy of ours ${wrong.length} of ${all.length} connections between probe pods are refused, such as ${wrongText(first)}`, 'see what else isolates new namespaces, or which nodes do not reach one another: bulkhead doctor --live tells node by node');
  }

  async #enter(state: CaseState): Promise<void> {
    const { spec, labels } = state;
    const before = this.#state;
    this.#state = state;
    const { namespace } = this.#pods.subject;
    if (spec === undefined) await this.#ground.removePolicy(namespace, POLICY);
    else if (spec !== before.spec) await this.#ground.setPolicy(namespace, POLICY, spec);
    if (labels === before.labels) return;
    for (const name of ['near', 'mate', 'far'] as const) await this.#ground.relabel({ ...this.#pods[name], labels: labels[name] });
  }
}
