// Sees to it that answers of DNS are looked at while some policy names domains, and tells the agent what they say, or why they cannot be seen.
import type { Clock } from '../base/clock.ts';
import { readDnsAnswer, type DnsAnswer } from '../base/dns-answer.ts';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import { readUdpPacket } from '../base/udp-packet.ts';
import { NO_SERVERS, type DnsServers } from '../emit/watched-answers.ts';
import { FirewallError } from '../kernel/firewall-error.ts';
import type { LoggedPacket, OpenPacketLog, PacketLog } from '../kernel/packet-log.ts';
import type { DnsServicesListener } from './dns-services.ts';

/** Where answers come from. */
export interface AnswerSource {
  readonly open: OpenPacketLog;
  /** Believed beside the Services of the cluster's DNS: they answer at these addresses themselves. */
  readonly servers: readonly IpAddress[];
}

export interface AnswerWatchOptions {
  /** undefined: nobody looks at answers here. */
  readonly source: AnswerSource | undefined;
  readonly followServices: (listener: DnsServicesListener, signal: AbortSignal) => Promise<void>;
  readonly listener: AnswerListener;
  readonly clock: Pick<Clock, 'after'>;
}

export interface AnswerListener {
  /** `unreadable`, or not one that was looked at. */
  answered(pod: IpAddress, answer: DnsAnswer | 'unreadable' | 'unseen'): void;
  believe(servers: DnsServers): void;
  /** Something about names that `message` says, or that is over. */
  namesProblem(about: string, message: string | undefined): void;
}

/** A log group that could not be had is tried again. */
const RETRY_MS = 10_000;
/** What happened once is told for so long. */
const TOLD_MS = 60_000;

const CLOSED = 'rules that name domains let nothing through to addresses that are not seen';

export class AnswerWatch {
  private readonly options: AnswerWatchOptions;
  private running: { readonly stop: AbortController; log: PacketLog | undefined } | undefined;
  private readonly passing = new Map<string, () => void>();
  /** Ends with the last watch of Services. */
  private following: Promise<void> = Promise.resolve();
  private isEnded = false;

  constructor(options: AnswerWatchOptions) {
    this.options = options;
  }

  /** Called at each change; costs nothing where it is as before. */
  want(isWanted: boolean): void {
    if (this.isEnded || isWanted === (this.running !== undefined)) return;
    if (isWanted) this.start();
    else this.stop();
  }

  /** Resolves when nothing goes on any more. */
  async end(): Promise<void> {
    // What is told from here on makes nobody begin anew.
    this.isEnded = true;
    this.stop();
    for (const cancel of this.passing.values()) cancel();
    this.passing.clear();
    await this.following;
  }

  private start(): void {
    const { source, listener } = this.options;
    this.running = { stop: new AbortController(), log: undefined };
    if (source === undefined) return listener.namesProblem('source', `nobody looks at answers of DNS here: ${CLOSED}`);
    this.believe([]);
    this.openLog(source);
    this.following = this.options.followServices({ found: (services) => this.believe(services), trouble: (error) => listener.namesProblem('services', error === undefined ? undefined : `the Services of the cluster's DNS are not known: ${error.message}`) }, this.running.stop.signal);
  }

  private stop(): void {
    const { running } = this;
    if (running === undefined) return;
    this.running = undefined;
    running.stop.abort();
    running.log?.close();
    this.options.listener.believe(NO_SERVERS);
    for (const about of ['source', 'log', 'services', 'servers']) this.options.listener.namesProblem(about, undefined);
  }

  private believe(services: readonly IpAddress[]): void {
    const { source, listener } = this.options;
    if (this.running === undefined || source === undefined) return;
    const { servers } = source;
    listener.believe({ services, servers });
    const isKnown = services.length + servers.length > 0;
    listener.namesProblem('servers', isKnown ? undefined : `no Service of the cluster's DNS is known (kube-dns in kube-system, or one with the label k8s-app=kube-dns): ${CLOSED}; --dns names servers`);
  }

  private openLog(source: AnswerSource): void {
    const { running, options: { listener, clock } } = this;
    if (running === undefined) return;
    const fail = (error: FirewallError): void => {
      listener.namesProblem('log', `answers of DNS cannot be seen: ${error.message}: ${CLOSED}`);
      const cancel = clock.after(RETRY_MS, () => this.running === running && this.openLog(source));
      running.stop.signal.addEventListener('abort', cancel, { once: true });
    };
    try {
      running.log = source.open({ packet: (packet) => this.take(packet), lost: () => this.tellOnce('lost', 'more answers of DNS came than were read in time: what they said opens nothing until it is asked for again'), failed: fail });
      listener.namesProblem('log', undefined);
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      fail(error);
    }
  }

  private take({ prefix, bytes }: LoggedPacket): void {
    const packet = readUdpPacket(bytes);
    if (packet === undefined) return;
    const { source, target, payload } = packet;
    if (prefix === 'answer') return this.options.listener.answered(target, readDnsAnswer(payload) ?? 'unreadable');
    this.options.listener.answered(target, 'unseen');
    const [from, pod] = [formatIpAddress(source), formatIpAddress(target)];
    if (prefix === 'too-many') this.tellOnce(`too-many ${pod}`, `the pod at ${pod} gets more answers of DNS than are looked at: what the others say opens nothing`);
    else this.tellOnce('strange', `an answer of DNS to the pod at ${pod} came in where the way to ${from} does not go out, and was not believed: somebody forges it, or the routes of this node are not symmetric`);
  }

  private tellOnce(about: string, message: string): void {
    const { listener, clock } = this.options;
    if (this.passing.size >= PASSING_MAX && !this.passing.has(about)) return;
    this.passing.get(about)?.();
    listener.namesProblem(about, message);
    this.passing.set(about, clock.after(TOLD_MS, () => {
      this.passing.delete(about);
      listener.namesProblem(about, undefined);
    }));
  }
}

/** Pods of one node that are told of at once. */
const PASSING_MAX = 20;
