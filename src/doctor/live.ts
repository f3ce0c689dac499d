// A live proof: on each node and across nodes an allowed and a refused pair in one observation, then the traps; what was seen, with how long it took.
import type { Clock } from '../base/clock.ts';
import { formatIpAddress, type IpFamily } from '../base/ip-address.ts';
import { endText } from './connect-script.ts';
import { observe, wrongText, type Expected, type Observation } from './observe.ts';
import { GroundError, ProbeGround, sleep, type GroundApi, type GroundOptions, type ReadyPod } from './probe-ground.ts';
import type { ProbePod } from './probe-pods.ts';

export interface LiveOptions extends GroundOptions {
  /** Names. */
  readonly nodes: readonly string[];
  /** How long a policy may take to have its effect. */
  readonly effectMs: number;
}

/** `enforced`: what should be refused was, and what should come through did. `inert`: something came through. `broken`: something that is allowed was refused. */
export interface LiveNode {
  readonly node: string;
  readonly standing: 'enforced' | 'inert' | 'broken' | 'unknown';
  readonly evidence: readonly string[];
}

/** `yes`/`no`: a feature is there or is not; `info`: the API leaves it open. */
export interface LiveCheck {
  readonly name: string;
  readonly verdict: 'yes' | 'no' | 'info';
  readonly says: string;
  /** From the API server's yes to the effect, at most; milliseconds. */
  readonly effectMs: number | undefined;
}

export interface LiveResult {
  readonly nodes: readonly LiveNode[];
  readonly checks: readonly LiveCheck[];
  readonly families: readonly IpFamily[];
  readonly connections: number;
  readonly isEnforced: boolean;
}

/** Fails with GroundError or ClusterError; whatever happens, nothing of it is left but what `onNote` names. */
export async function proveLive(api: GroundApi, options: LiveOptions): Promise<LiveResult> {
  const ground = new ProbeGround(api, options);
  try {
    await ground.sweepExpired();
    return await new LiveProof(ground, options).run();
  } finally {
    options.onNote('taking the probe pods away');
    await ground.close();
  }
}

const ROLES = ['target', 'friend', 'stranger'] as const;
type Role = (typeof ROLES)[number];
type Trio = Readonly<Record<Role, ReadyPod>>;

const POLICY = 'probe';
const TCP = { protocol: 'TCP', port: 8080 } as const;
const UDP = { protocol: 'UDP', port: 8081 } as const;
const OTHER_TCP = { protocol: 'TCP', port: 8090 } as const;

const byRole = (role: string): object => ({ podSelector: { matchLabels: { role } } });

/** A class, for it gathers what it sees. */
class LiveProof {
  readonly #ground: ProbeGround;
  readonly #options: LiveOptions;
  readonly #clock: Clock;
  readonly #checks: LiveCheck[] = [];
  #connections = 0;

  constructor(ground: ProbeGround, options: LiveOptions) {
    this.#ground = ground;
    this.#options = options;
    this.#clock = options.clock;
  }

  async run(): Promise<LiveResult> {
    const { nodes, onNote } = this.#options;
    const { name } = this.#ground;
    onNote(`making probe pods in the namespace ${name} on ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`);
    await this.#ground.addNamespace(name);
    const { trios, missing } = await this.#deploy(nodes);
    if (trios.length === 0) throw new GroundError(`no probe pod got ready in the cluster ${this.#options.nodes.length === 0 ? 'without nodes' : ''}: ${[...missing.values()][0] ?? 'no node was asked'}`.replace('  ', ' '), `see whether the nodes can pull ${this.#options.image}, or name another image with --image`);
    const families = trios[0]!.target.addresses.map(({ family }) => family);
    const open = await this.#see(this.#pairs(trios, families, () => true), 10_000);
    const reachable = trios.filter((trio) => !open.wrong.some(({ source, target }) => source.node === trio.target.node || target.node === trio.target.node));
    const judged = reachable.length === 0 ? [] : await this.#judge(reachable, families);
    const closed = trios.filter((trio) => !reachable.includes(trio)).map(({ target }): LiveNode => ({ node: target.node, standing: 'unknown', evidence: ['without any policy of ours its pods do not all reach one another', ...open.wrong.slice(0, 3).map(wrongText)] }));
    const absent = [...missing].map(([node, reason]): LiveNode => ({ node, standing: 'unknown', evidence: [`a probe pod does not get ready: ${reason}`] }));
    const all = [...judged, ...closed, ...absent].sort((a, b) => (a.node < b.node ? -1 : 1));
    return { nodes: all, checks: this.#checks, families, connections: this.#connections, isEnforced: all.length > 0 && all.every(({ standing }) => standing === 'enforced') };
  }

  async #deploy(nodes: readonly string[]): Promise<{ readonly trios: readonly Trio[]; readonly missing: ReadonlyMap<string, string> }> {
    const pods = nodes.flatMap((node, index) => ROLES.map((role): ProbePod => ({ namespace: this.#ground.name, name: `${role}-${index}`, node, labels: { role } })));
    const { ready, missing } = await this.#ground.addPods(pods);
    const byName = new Map(ready.map((pod) => [pod.name, pod]));
    const trios: Trio[] = [];
    const reasons = new Map<string, string>();
    nodes.forEach((node, index) => {
      const [target, friend, stranger] = ROLES.map((role) => byName.get(`${role}-${index}`));
      if (target !== undefined && friend !== undefined && stranger !== undefined) trios.push({ target, friend, stranger });
      else reasons.set(node, ROLES.flatMap((role) => missing.get(`${role}-${index}`) ?? [])[0] ?? 'nothing is said of it');
    });
    return { trios, missing: reasons };
  }

  /** Both directions on each node, and from each node to the next. */
  async #judge(trios: readonly Trio[], families: readonly IpFamily[]): Promise<readonly LiveNode[]> {
    const { onNote, effectMs } = this.#options;
    onNote('ingress: a friend and a stranger of each node call pods of that node and of another');
    await this.#policy({ podSelector: { matchLabels: { role: 'target' } }, policyTypes: ['Ingress'], ingress: [{ from: [byRole('friend')] }] });
    const ingress = await this.#see(this.#pairs(trios, families, (source) => source === 'friend', 'ingress'), effectMs);
    this.#note('ingress', ingress);
    onNote('egress: a friend calls whom it may and whom it may not');
    await this.#policy({ podSelector: { matchLabels: { role: 'friend' } }, policyTypes: ['Egress'], egress: [{ to: [byRole('stranger')] }] });
    const egress = await this.#see(this.#pairs(trios, families, (_, target) => target === 'stranger', 'egress'), effectMs);
    this.#note('egress', egress);
    const wrong = [...ingress.wrong.map((one) => ({ one, at: one.target.node })), ...egress.wrong.map((one) => ({ one, at: one.source.node }))];
    await this.#traps(trios[0]!, { families, isInert: wrong.some(({ one }) => !one.isAllowed) });
    return trios.map(({ target: { node } }): LiveNode => {
      const here = wrong.filter(({ at }) => at === node).map(({ one }) => one);
      if (here.length === 0) return { node, standing: 'enforced', evidence: ['what a policy refuses was refused, and what it allows came through, on the node and from another'] };
      return { node, standing: here.some(({ isAllowed }) => !isAllowed) ? 'inert' : 'broken', evidence: here.slice(0, 4).map(wrongText) };
    });
  }

  async #traps(trio: Trio, { families, isInert }: { readonly families: readonly IpFamily[]; readonly isInert: boolean }): Promise<void> {
    // Where nothing is refused, nothing is learned of what is refused how.
    if (isInert) return;
    const { target, friend, stranger } = trio;
    const onTarget = (ingress: readonly object[]): object => ({ podSelector: { matchLabels: { role: 'target' } }, policyTypes: ['Ingress'], ingress });
    const pair = (source: ReadyPod, { protocol, port }: typeof TCP | typeof UDP | typeof OTHER_TCP, isAllowed: boolean): readonly Expected[] => families.map((family) => ({ source, target, protocol, port, family, isAllowed }));
    const blocks = families.map((family) => ({ ipBlock: { cidr: family === 4 ? '0.0.0.0/0' : '::/0', except: stranger.addresses.filter((address) => address.family === family).map((address) => `${formatIpAddress(address)}/${family === 4 ? 32 : 128}`) } }));
    await this.#feature('named port', onTarget([{ ports: [{ port: 'web' }] }]), [...pair(friend, TCP, true), ...pair(friend, OTHER_TCP, false)]);
    await this.#feature('named port of UDP', onTarget([{ ports: [{ port: 'dns', protocol: 'UDP' }] }]), [...pair(friend, UDP, true), ...pair(friend, TCP, false)]);
    await this.#feature('endPort', onTarget([{ ports: [{ port: 8000, endPort: 8085 }] }]), [...pair(friend, TCP, true), ...pair(friend, OTHER_TCP, false)]);
    await this.#feature('ipBlock with except', onTarget([{ from: blocks }]), [...pair(friend, TCP, true), ...pair(stranger, TCP, false)]);
    await this.#feature('change of a policy', onTarget([{ from: [byRole('stranger')] }]), [...pair(friend, TCP, false), ...pair(stranger, TCP, true)]);
    await this.#liveConnection(trio, onTarget, pair);
    await this.#podStart(trio);
  }

  async #feature(name: string, spec: object, expected: readonly Expected[]): Promise<void> {
    this.#options.onNote(name);
    await this.#policy(spec);
    this.#note(name, await this.#see(expected, this.#options.effectMs));
  }

  /** A connection that is open, and that a change of the policy denies: the API leaves it open what becomes of it. */
  async #liveConnection({ target, friend, stranger }: Trio, onTarget: (ingress: readonly object[]) => object, pair: (source: ReadyPod, port: typeof TCP, isAllowed: boolean) => readonly Expected[]): Promise<void> {
    const name = 'live connection';
    this.#options.onNote(name);
    const slowest = Math.max(0, ...this.#checks.map(({ effectMs }) => effectMs ?? 0));
    const holdSeconds = Math.min(20, Math.ceil((slowest * 2) / 1000) + 6);
    const held = this.#ground.run(stranger, holdScript(endText(target.addresses[0]!, TCP.port), holdSeconds), (holdSeconds + 15) * 1000);
    const start = this.#clock.elapsedMs();
    held.catch(() => undefined);
    await sleep(this.#clock, 2000);
    await this.#policy(onTarget([{ from: [byRole('friend')] }]));
    const seen = await this.#see([...pair(friend, TCP, true), ...pair(stranger, TCP, false)], (holdSeconds - 3) * 1000);
    const isInTime = seen.isRight && this.#clock.elapsedMs() - start < (holdSeconds - 1) * 1000;
    const said = await held;
    const word = /alive/.test(said) ? 'goes on' : 'is cut';
    const says = !/held/.test(said) ? 'no connection could be held: the image has no wget that works' : isInTime ? `an open connection that the new policy denies ${word}` : 'the policy had no effect while the connection was held';
    this.#checks.push({ name, verdict: 'info', says, effectMs: seen.effectMs });
  }

  /** A pod that a policy isolates before it starts tries to call out from its first instant. */
  async #podStart({ target, friend }: Trio): Promise<void> {
    const name = 'start of a pod';
    this.#options.onNote(name);
    const { namespace, node } = target;
    await this.#policy({ podSelector: { matchLabels: { role: 'starter' } }, policyTypes: ['Egress'], egress: [] });
    const [first, second] = ['starter-0', 'starter-1'].map((pod): ProbePod => ({ namespace, name: pod, node, labels: { role: 'starter' } }));
    const { ready } = await this.#ground.addPods([first!]);
    if (ready.length === 0) return void this.#checks.push({ name, verdict: 'info', says: 'another probe pod does not get ready', effectMs: undefined });
    const [family] = target.addresses.map((address) => address.family);
    const isolated = await this.#see([{ source: ready[0]!, target, ...TCP, family: family!, isAllowed: false }, { source: friend, target, ...TCP, family: family!, isAllowed: true }], this.#options.effectMs);
    if (!isolated.isRight) return void this.#checks.push({ name, verdict: 'no', says: 'a pod that no egress is allowed to still calls out', effectMs: undefined });
    await this.#ground.addPod(second!, startScript(endText(target.addresses[0]!, TCP.port)));
    const log = await this.#startLog(second!);
    const tries = [...log.matchAll(/^[0-9]+ (open|closed)$/gm)].map(([, word]) => word);
    const opened = tries.filter((word) => word === 'open').length;
    this.#connections += tries.length;
    const says = tries.length === 0 ? 'the starting pod said nothing' : opened === 0 ? `closed from its first instant: none of ${tries.length} connections came through` : `open at first: ${opened} of ${tries.length} connections came through`;
    this.#checks.push({ name, verdict: tries.length === 0 ? 'info' : opened === 0 ? 'yes' : 'no', says, effectMs: undefined });
  }

  async #startLog(pod: ProbePod): Promise<string> {
    const deadline = this.#clock.elapsedMs() + this.#options.podsReadyMs;
    for (;;) {
      const log = await this.#ground.log(pod, 'script');
      if (/^done$/m.test(log) || this.#clock.elapsedMs() > deadline) return log;
      await sleep(this.#clock, 500);
      this.#options.signal.throwIfAborted();
    }
  }

  /** From each node to itself and to the next one, both protocols, each family. */
  #pairs(trios: readonly Trio[], families: readonly IpFamily[], isAllowed: (source: Role, target: Role) => boolean, direction?: 'ingress' | 'egress'): readonly Expected[] {
    const wanted: readonly (readonly [Role, Role])[] = [...(direction === 'egress' ? [] : ([['friend', 'target'], ['stranger', 'target']] as const)), ...(direction === 'ingress' ? [] : ([['friend', 'stranger'], ['friend', 'target']] as const))];
    const unique = [...new Map(wanted.map((one) => [one.join(), one])).values()];
    return trios.flatMap((trio, index) => {
      const next = trios[(index + 1) % trios.length]!;
      const targets = next === trio ? [trio] : [trio, next];
      return targets.flatMap((to) => unique.flatMap(([source, target]) => families.filter((family) => hasFamily(trio[source], family) && hasFamily(to[target], family)).flatMap((family) => [TCP, UDP].map((port): Expected => ({ source: trio[source], target: to[target], ...port, family, isAllowed: isAllowed(source, target) })))));
    });
  }

  async #policy(spec: object): Promise<void> {
    await this.#ground.setPolicy(this.#ground.name, POLICY, spec);
  }

  async #see(expected: readonly Expected[], withinMs: number): Promise<Observation> {
    const seen = await observe(this.#ground, expected, { clock: this.#clock, withinMs });
    this.#connections += seen.tried;
    return seen;
  }

  #note(name: string, { isRight, effectMs, wrong }: Observation): void {
    const says = isRight ? 'what is allowed comes through, what is not is refused' : wrong.slice(0, 2).map(wrongText).join('; ');
    this.#checks.push({ name, verdict: isRight ? 'yes' : 'no', says, effectMs });
  }
}

function hasFamily({ addresses }: ReadyPod, family: IpFamily): boolean {
  return addresses.some((address) => address.family === family);
}

const START_TRIES = 20;

/** Says that it can hold a connection, then what comes of one. Not every wget keeps time by itself. */
function holdScript(end: string, seconds: number): string {
  return [
    `wget -q -O /dev/null 'http://${end}/hostname' && echo held`,
    `wget -q -O - 'http://${end}/shell?shellCommand=sleep+${seconds}%3Becho+alive' & call=$!`,
    `(sleep ${seconds + 5}; kill $call) >/dev/null 2>&1 &`,
    'wait $call || echo cut',
  ].join('\n');
}

function startScript(end: string): string {
  return `i=0; while [ $i -lt ${START_TRIES} ]; do if /agnhost connect '${end}' --timeout=200ms >/dev/null 2>&1; then echo "$i open"; else echo "$i closed"; fi; i=$((i+1)); done; echo done`;
}
