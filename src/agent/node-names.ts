// Rules that name domains, on one node: answers of DNS become addresses that are open, and what keeps them from being seen is told.
import type { Clock } from '../base/clock.ts';
import type { DnsAnswer } from '../base/dns-answer.ts';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import { coversDomainName } from '../compile/domain-pattern.ts';
import { NO_SERVERS, type DnsServers } from '../emit/watched-answers.ts';
import type { Firewall } from '../kernel/firewall.ts';
import { FirewallError } from '../kernel/firewall-error.ts';
import { namesDomains } from '../model/cluster-policy.ts';
import type { AnswerCounts, NamesState, PolicyState } from './agent-state.ts';
import type { AnswerListener } from './answer-watch.ts';
import type { KernelWriter } from './kernel-writer.ts';
import { ADDRESSES_MAX, ADDRESSES_PER_POD_MAX, type Learning } from './learnt-names.ts';
import type { Troubles } from './troubles.ts';

/** After this long it is looked for names whose time is over. */
const SWEEP_MS = 60_000;

const NO_PROBLEMS: ReadonlyMap<string, string> = new Map();

export interface NodeNamesOptions {
  readonly firewall: Pick<Firewall, 'answersProblem'>;
  readonly clock: Clock;
  readonly troubles: Troubles;
  /** The kernel is to be written to. */
  readonly onDue: () => void;
  /** The state is another one. */
  readonly onTold: () => void;
  /** Answers to all pods are looked at, and handed on; else only where rules name domains. */
  readonly onAnswer: ((pod: IpAddress, answer: DnsAnswer) => void) | undefined;
}

export class NodeNames implements AnswerListener {
  private readonly options: NodeNamesOptions;
  private writer: KernelWriter | undefined;
  private servers: DnsServers = NO_SERVERS;
  private readonly answers: Record<keyof AnswerCounts, number> = { learnt: 0, other: 0, unreadable: 0, full: 0, unseen: 0 };
  private readonly problems = new Map<string, string>();
  private cancelSweep: (() => void) | undefined;

  constructor(options: NodeNamesOptions) {
    this.options = options;
  }

  begin(writer: KernelWriter): void {
    this.writer = writer;
    writer.dnsServers = this.servers;
  }

  /** Whether answers are to be looked at. */
  get areLookedAt(): boolean {
    return this.areWanted || (this.writer !== undefined && this.options.onAnswer !== undefined);
  }

  /** Whether some policy has rules that name domains. */
  private get areWanted(): boolean {
    return (this.writer?.program.domainNames.length ?? 0) > 0;
  }

  get state(): NamesState {
    return { addresses: this.writer?.names.addressCount ?? 0, answers: { ...this.answers } };
  }

  /** What an answer says is open once the kernel has taken it: a moment later than the pod hears it. */
  answered(pod: IpAddress, answer: DnsAnswer | 'unreadable' | 'unseen'): void {
    if (typeof answer === 'string') {
      this.answers[answer]++;
      return;
    }
    this.options.onAnswer?.(pod, answer);
    const learning = this.learn(pod, answer);
    this.answers[learning === 'nothing-new' ? 'other' : learning]++;
    if (learning === 'full') this.namesProblem('full', `more addresses were told for names than are held (${ADDRESSES_PER_POD_MAX} of one pod, ${ADDRESSES_MAX} of a node), last to the pod at ${formatIpAddress(pod)}: what is not held is closed`);
    if (learning !== 'nothing-new') this.options.onDue();
  }

  believe(servers: DnsServers): void {
    this.servers = servers;
    if (this.writer === undefined) return;
    this.writer.dnsServers = servers;
    this.options.onDue();
  }

  namesProblem(about: string, message: string | undefined): void {
    this.setProblem(about, message);
    this.options.onTold();
  }

  /** After each change of the kernel. */
  committed(): void {
    const { answersProblem } = this.options.firewall;
    this.setProblem('kernel', answersProblem === undefined ? undefined : `the kernel hands out no answers of DNS, so rules that name domains let nothing through: ${answersProblem}`);
    this.scheduleSweep();
  }

  /** Of policies that name domains: what keeps answers from being seen is a problem of theirs. */
  withProblems(policies: readonly PolicyState[]): readonly PolicyState[] {
    const found = this.options.troubles.list().find(({ code }) => code === 'names');
    if (found === undefined || this.writer === undefined) return policies;
    const naming = new Set(this.writer.program.cluster.clusterPolicies.filter(namesDomains).map(({ kind, name }) => `${kind} ${name}`));
    return policies.map((policy) => (policy.problem === undefined && naming.has(`${policy.kind} ${policy.name}`) ? { ...policy, problem: found.message } : policy));
  }

  /** No trouble as long as no rule needs the names. */
  private setProblem(about: string, message: string | undefined): void {
    if (message === undefined) this.problems.delete(about);
    else this.problems.set(about, message);
    this.options.troubles.setAll('names', this.areWanted ? this.problems : NO_PROBLEMS);
  }

  stop(): void {
    this.cancelSweep?.();
  }

  private learn(pod: IpAddress, answer: DnsAnswer): Learning {
    const { writer, options: { clock } } = this;
    const isNamed = writer?.program.domainNames.some((pattern) => coversDomainName(pattern, answer.name)) === true;
    if (!isNamed) return 'nothing-new';
    const learnings = writer.addresses.of(pod).map((address) => writer.names.learn(address, answer, clock.elapsedMs()));
    return (['full', 'learnt'] as const).find((learning) => learnings.includes(learning)) ?? 'nothing-new';
  }

  private scheduleSweep(): void {
    if (this.cancelSweep !== undefined || this.writer!.names.addressCount === 0) return;
    this.cancelSweep = this.options.clock.after(SWEEP_MS, () => {
      this.cancelSweep = undefined;
      this.sweep();
    });
  }

  private sweep(): void {
    const { names } = this.writer!;
    try {
      if (names.sweep(this.options.clock.elapsedMs())) this.options.onDue();
    } catch (error) {
      // Nothing is forgotten that nobody has looked for; the next sweep does.
      if (!(error instanceof FirewallError)) throw error;
    }
    this.scheduleSweep();
    this.namesProblem('full', undefined);
  }
}
