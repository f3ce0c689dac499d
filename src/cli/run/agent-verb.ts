// `bulkhead agent`: the policies of a cluster in the kernel of one of its nodes, for as long as it runs and beyond.
import { hostname } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { startAgent } from '../../agent/agent.ts';
import { parseIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { SET_SIZE_MAX } from '../../agent/node-agent.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import { openCniResults } from '../../kernel/cni-results.ts';
import { checkNode } from '../../kernel/check-node.ts';
import { findNftVersion } from '../../kernel/detect-kernel.ts';
import { isGenerationMask } from '../../kernel/generation-number.ts';
import { openLogGroup } from '../../kernel/log-group.ts';
import { openFirewall } from '../../kernel/nft-firewall.ts';
import { openObserver } from '../../kernel/observing-firewall.ts';
import type { PacketListener, PacketLog } from '../../kernel/packet-log.ts';
import { dropRights } from '../../kernel/process-rights.ts';
import { spareMemory } from '../../kernel/spare-memory.ts';
import { performDuties, statusDoorOf, type StatusOptions } from './agent-duties.ts';
import { createLog, LOG_FORMATS, LOG_LEVELS, type Log, type LogOptions } from './agent-log.ts';
import { agentManifests, isImageName } from './agent-manifests.ts';
import { uninstallCluster, uninstallNode } from './agent-uninstall.ts';
import { UsageError } from '../../terminal/failures.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { writeAnswer } from '../../terminal/output.ts';
import { openSender, type SenderOptions } from './open-sender.ts';
import { packageVersion } from '../package-version.ts';
import { readSize } from '../options/size-words.ts';
import { systemClock } from '../system-clock.ts';

interface AgentVerbOptions extends StatusOptions, SenderOptions {
  readonly node: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly deny: 'drop' | 'reject';
  readonly onChange: 'cut' | 'keep';
  readonly ctMask: number;
  readonly setSize: number;
  readonly dns: readonly IpAddress[];
  readonly answerGroup: number;
  readonly denialGroup: number;
  readonly logFormat: LogOptions['format'];
  readonly logLevel: LogOptions['level'];
  readonly probing?: boolean;
  readonly observe?: boolean;
  readonly netns: string;
  readonly cniResults: string;
  readonly manifests?: boolean;
  readonly image?: string;
  readonly allowAudit?: boolean;
  readonly uninstall?: boolean;
  readonly cluster?: boolean;
}

export function defineAgent(command: Command): void {
  command
    .addOption(new Option('--node <NAME>', "this node's name in the cluster").env('NODE_NAME').default(hostname(), 'the name of this host'))
    .option('--context <NAME>', 'another context of the kubeconfig')
    .option('--kubeconfig <FILE>', "another kubeconfig (default: $KUBECONFIG, then ~/.kube/config, then the pod's service account)")
    .addOption(new Option('--deny <HOW>', 'what a refused new connection gets').choices(['drop', 'reject']).default('drop'))
    .addOption(new Option('--on-change <HOW>', 'live connections that a change would refuse').choices(['cut', 'keep']).default('cut'))
    .addOption(new Option('--ct-mask <BITS>', 'bits of the conntrack mark that nobody else writes').argParser(readMask).default(0x7f, '0x7f'))
    .addOption(new Option('--set-size <COUNT>', 'most elements of one set in the kernel; a policy that needs more is closed').argParser(readSetSize).default(SET_SIZE_MAX))
    .addOption(new Option('--dns <ADDRESS>', "a server whose answers about names are believed, beside the Services of the cluster's DNS and 169.254.20.10 on the node (repeatable)").argParser(readServer).default([], 'none'))
    .addOption(new Option('--answer-group <NUMBER>', 'log group of the kernel for answers of DNS, which nobody else listens to').argParser(readGroup).default(1053))
    .addOption(new Option('--denial-group <NUMBER>', 'log group of the kernel that new refusals ring, which nobody else listens to').argParser(readGroup).default(1054))
    .option('--allow-audit', 'let a namespace labeled bulkhead.dev/audit=true have its NetworkPolicies judged and not enforced')
    .option('--status-address <HOST:PORT>', 'where /metrics, /flows, /healthz and /readyz are answered, or none', '127.0.0.1:9641')
    .option('--status-cert <FILE>', 'certificate for it, which other hosts need; they ask with a token of the cluster')
    .option('--status-key <FILE>', 'key of the certificate')
    .option('--server <URL>', 'send flows to a `bulkhead serve`, https://HOST:PORT')
    .option('--server-ca <FILE>', 'with --server: certificates (PEM) that vouch for it; read again each time')
    .option('--server-token <FILE>', 'with --server: a token of this pod for the audience bulkhead-server; read again each time')
    .addOption(new Option('--log-format <FORMAT>', 'of the lines on stderr').choices(LOG_FORMATS).default('text'))
    .addOption(new Option('--log-level <LEVEL>', 'the least weight of lines that are written').choices(LOG_LEVELS).default('info'))
    .option('--spool <DIR>', 'with --server: where flows wait while it is away', '/var/lib/bulkhead/spool')
    .addOption(new Option('--spool-size <SIZE>', 'the most that wait; the oldest are lost beyond it, and counted').argParser(readSize).default(256 * 2 ** 20, '256MiB'))
    .option('--probing', 'in place of enforcing: open the connections that ConnectionProbes ask for, inside the pods of this node; with --manifests, print what puts such a prober onto every node besides')
    .option('--observe', 'in place of enforcing: count flows beside another engine, and say what the policies would have said; nothing is ever refused or marked')
    .option('--netns <DIR>', 'with --probing: where the container runtime keeps the network namespaces of pods', '/run/netns')
    .option('--cni-results <DIR>', "where libcni keeps what pods of this node were given: a new pod's addresses are known from there before the API server tells them", '/var/lib/cni/results')
    .option('--manifests', 'print what puts the agent onto every node of a cluster, for kubectl apply -f -')
    .option('--image <NAME>', 'with --manifests: the image that the nodes pull')
    .option('--uninstall', 'take the rules of this node away: everything is open afterwards')
    .option('--cluster', 'with --uninstall: take away what the manifests put into the cluster, with all staged policies')
    .addHelpText('after', `
Rules stay in force when it ends, however it ends.
It drops every capability but NET_ADMIN as it starts; with --probing, but SYS_ADMIN, NET_ADMIN and NET_BIND_SERVICE.
Exit status: 0 it was told to end; 2 the words are wrong; 3 it cannot work here.

Examples:
  bulkhead agent --manifests --image registry.example/bulkhead:0.1.0 | kubectl apply -f -
  bulkhead agent --uninstall            on each node, when the agents are gone
  bulkhead agent --uninstall --cluster  once, before that`)
    .action(async (options: AgentVerbOptions) => {
      process.exitCode = await dispatch(options);
    });
}

async function dispatch(options: AgentVerbOptions): Promise<number> {
  const { manifests = false, uninstall = false, cluster = false, probing = false, allowAudit = false, image } = options;
  if (manifests && uninstall) throw new UsageError('--manifests and --uninstall are two things', 'ask for one of them');
  if (image !== undefined && (!manifests || !isImageName(image))) throw new UsageError(manifests ? `\`${image}\` is no name of an image` : '--image belongs to --manifests');
  if (cluster && !uninstall) throw new UsageError('--cluster belongs to --uninstall');
  if (probing && uninstall) throw new UsageError('--probing and --uninstall are two things', '--uninstall takes the prober away as well');
  if (options.observe === true && (probing || uninstall || manifests)) throw new UsageError('--observe is of an agent that runs', 'it goes with none of --probing, --manifests and --uninstall');
  if (manifests) await writeAnswer([agentManifests({ ...(image === undefined ? {} : { image }), probing, allowsAudit: allowAudit })]);
  else if (cluster) await uninstallCluster(await openKubeApi(clusterOf(options)));
  else if (uninstall) await uninstallNode();
  else return probing ? await probe(options) : runAgent(options);
  return 0;
}

function clusterOf({ context, kubeconfig }: Pick<AgentVerbOptions, 'context' | 'kubeconfig'>): Parameters<typeof openKubeApi>[0] {
  return { ...(context === undefined ? {} : { context }), ...(kubeconfig === undefined ? {} : { kubeconfig }) };
}

/** Loaded here: who enforces needs nothing of it. */
async function probe({ node, netns, logFormat, logLevel, ...options }: AgentVerbOptions): Promise<number> {
  const { runProber } = await import('./run-prober.ts');
  return runProber({ node, netns, cluster: clusterOf(options), log: createLog({ format: logFormat, level: logLevel }) });
}

async function runAgent(options: AgentVerbOptions): Promise<number> {
  const { node, deny, onChange, ctMask, setSize, dns, answerGroup, denialGroup, logFormat, logLevel, cniResults, allowAudit = false, observe: observes = false } = options;
  const door = statusDoorOf(options);
  if (answerGroup === denialGroup) throw new UsageError('--answer-group and --denial-group are one group', 'name two');
  dropRights(['NET_ADMIN']);
  const log = createLog({ format: logFormat, level: logLevel });
  if (!observes && refusesNode(ctMask, log)) return 3;
  const api = await openKubeApi(clusterOf(options));
  const firewall = observes ? openObserver() : openFirewall({ deny, onChange, markMask: ctMask, isOwner: true, answerGroup, denialGroup });
  const answers = { open: (listener: PacketListener) => openLogGroup({ group: answerGroup }, listener), servers: dns };
  const denials = observes ? undefined : (listener: PacketListener): PacketLog => openLogGroup({ group: denialGroup }, listener);
  const given = openCniResults(cniResults);
  const interruption = listenForInterruption();
  const stop = new AbortController();
  const { signal } = stop;
  void interruption.come.then(() => stop.abort());
  try {
    const sender = openSender(options, node, log, signal);
    const { agent, ended } = startAgent({ api, firewall, node, clock: systemClock, setSizeMax: setSize, signal, allowsAudit: allowAudit, observes, given, memory: spareMemory, ...(observes ? {} : { answers, namesHosts: true }), ...(denials === undefined ? {} : { denials }) });
    const duties = performDuties({ agent, node, api, version: packageVersion(), nftVersion: findNftVersion() ?? 'none', log, signal, door, observes, sender });
    await Promise.all([ended, duties]);
    sender?.spoolNow();
  } finally {
    // Nobody reads what it counts any more.
    if (observes) firewall.remove();
    firewall.close();
    given.close();
    interruption.stopListening();
  }
  return 0;
}

/** Says what is in the way on this node; true where policy could not be enforced at all. */
function refusesNode(markMask: number, log: Log): boolean {
  const obstacles = checkNode({ markMask });
  for (const { reason, remedy, isFatal } of obstacles) log(isFatal ? 'error' : 'warn', `${reason}; ${remedy}`);
  return obstacles.some(({ isFatal }) => isFatal);
}

function readMask(word: string): number {
  const mask = Number(word);
  if (!isGenerationMask(mask)) throw new InvalidArgumentError('two neighboring bits at least are needed, such as 0x7f.');
  return mask;
}

function readSetSize(word: string): number {
  const count = Number(word);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('a whole number from 1 is needed.');
  return count;
}

function readServer(word: string, others: readonly IpAddress[]): readonly IpAddress[] {
  const address = parseIpAddress(word);
  if (address === undefined) throw new InvalidArgumentError('an IP address is needed, such as 10.0.0.2.');
  return [...others, address];
}

function readGroup(word: string): number {
  const group = Number(word);
  if (!/^[0-9]{1,5}$/.test(word) || group > 65_535) throw new InvalidArgumentError('a number from 0 to 65535 is needed.');
  return group;
}
