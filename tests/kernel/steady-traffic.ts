// Datagrams at a steady pace between wired hosts, each a new flow that must get through or must not: every packet counts, none is sent again.
import { loadLibc } from '../../src/kernel/libc.ts';
import { socketAddress } from '../../src/kernel/socket-address.ts';
import { addressOf, type HostName, HOSTS } from './firewall-world.ts';
import { SOCK_DGRAM, type WiredHost, type WiredHosts } from './wired-hosts.ts';

export interface Path {
  readonly source: HostName;
  readonly target: HostName;
  readonly isAllowed: boolean;
  /** One flow for all datagrams, opened with the first. */
  readonly isLive?: boolean;
}

export interface TrafficCount {
  readonly sent: number;
  readonly leaked: number;
  readonly wronglyRefused: number;
  /** Milliseconds after the start at which datagrams went that should have fared otherwise. */
  readonly wrongAt: readonly number[];
}

const INTERVAL_MS = 5;
/** How long the last datagrams may be on their way. */
const SETTLE_MS = 300;
const PORT = 7000;
const MSG_DONTWAIT = 0x40;

interface Sent {
  readonly path: Path;
  readonly at: number;
}

export class SteadyTraffic {
  private readonly hosts: WiredHosts;
  private readonly paths: readonly Path[];
  private readonly receivers: readonly number[];
  private readonly live = new Map<string, number>();
  private readonly sent: Sent[] = [];
  private readonly arrived = new Set<number>();
  private readonly started = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(hosts: WiredHosts, paths: readonly Path[]) {
    this.hosts = hosts;
    this.paths = paths;
    this.receivers = [...new Set(paths.map(({ target }) => target))].flatMap((target) => hosts.listen(this.host(target), SOCK_DGRAM, PORT));
    this.timer = setInterval(() => this.beat(), INTERVAL_MS);
  }

  /** Sends no more. */
  end(): void {
    clearInterval(this.timer);
  }

  /** What came of it. */
  async stop(): Promise<TrafficCount> {
    this.end();
    await new Promise((done) => setTimeout(done, SETTLE_MS));
    this.receive();
    const wrong = this.sent.filter(({ path }, id) => this.arrived.has(id) !== path.isAllowed);
    const leaked = wrong.filter(({ path }) => !path.isAllowed).length;
    return { sent: this.sent.length, leaked, wronglyRefused: wrong.length - leaked, wrongAt: wrong.map(({ at }) => Math.round(at - this.started)) };
  }

  private beat(): void {
    for (const path of this.paths) for (const family of [4, 6] as const) this.send(path, family);
    this.receive();
  }

  private send(path: Path, family: 4 | 6): void {
    const libc = loadLibc();
    const fd = this.socket(path, family);
    const id = Buffer.alloc(4);
    id.writeUInt32LE(this.sent.length);
    this.sent.push({ path, at: performance.now() });
    const bytes = socketAddress(addressOf(path.target, family), PORT);
    libc.sendto(fd, id, id.length, 0, bytes, bytes.length);
    if (path.isLive !== true) libc.close(fd);
  }

  private socket(path: Path, family: 4 | 6): number {
    const key = `${path.source} ${path.target} ${family}`;
    const known = path.isLive === true ? this.live.get(key) : undefined;
    if (known !== undefined) return known;
    const host = this.host(path.source);
    const fd = path.isLive === true ? this.hosts.socket(host, family, SOCK_DGRAM) : this.hosts.untrackedSocket(host, family, SOCK_DGRAM);
    if (path.isLive === true) this.live.set(key, fd);
    return fd;
  }

  // A live flow is answered once, so that conntrack takes it for established.
  private receive(): void {
    const libc = loadLibc();
    const id = Buffer.alloc(4);
    const peer = Buffer.alloc(28);
    for (const fd of this.receivers) {
      for (;;) {
        const size = Buffer.alloc(4);
        size.writeUInt32LE(peer.length);
        if (libc.recvfrom(fd, id, id.length, MSG_DONTWAIT, peer, size) < 0) break;
        const number = id.readUInt32LE();
        this.arrived.add(number);
        if (this.sent[number]!.path.isLive === true) libc.sendto(fd, id, id.length, 0, peer, size.readUInt32LE());
      }
    }
  }

  private host(name: HostName): WiredHost {
    return this.hosts.hosts[Object.keys(HOSTS).indexOf(name)]!;
  }
}
