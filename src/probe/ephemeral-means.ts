// Connections opened by a container that is added to each pod for it, and stays in the pod's list when it has ended.
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/sleep.ts';
import type { ClusterApi, ServedKind } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { PodHands } from '../kube/pod-hands.ts';
import type { ConcreteProbe, MeansResult } from './concrete-probe.ts';
import { judgeAttempt } from './judge-attempt.ts';
import type { LivePod } from './live-pods.ts';
import { probeScript, readScriptAnswers, SCRIPT_TOOLS } from './probe-script.ts';
import type { SeenVerdict } from './run-probes.ts';
import { sharePods } from './share-pods.ts';

export interface EphemeralMeansOptions {
  readonly api: Pick<ClusterApi, 'get'> & Pick<PodHands, 'addEphemeralContainer' | 'readLog'>;
  /** With `sh` and one of the script's tools. */
  readonly image: string;
  readonly clock: Clock;
  readonly secret: (digits: number) => string;
  readonly signal: AbortSignal;
}

/** From the patch to the end of the program, an image that has to be pulled included. */
const END_WITHIN_MS = 120_000;
const LOOK_MS = 500;

const POD: ServedKind = { apiVersion: 'v1', kind: 'Pod', resource: 'pods', isNamespaced: true };

/** What the level `restricted` of Pod Security asks for. */
const SECURITY_CONTEXT = { allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 65_534, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } };

/** Rights that are missing, and pods that refuse, are notes. */
export async function tryByEphemeral(probes: readonly ConcreteProbe[], options: EphemeralMeansOptions): Promise<MeansResult> {
  const seen = new Map<number, SeenVerdict>();
  const notes = new Set<string>();
  const added: string[] = [];
  await sharePods(probes, options.signal, async (source, own) => {
    const tcp = own.filter(({ probe }) => probe.protocol === 'TCP');
    if (tcp.length < own.length) notes.add('connections of UDP are left out: a shell does not say what came of them');
    if (tcp.length === 0) return;
    const output = await runBeside(source, probeScript(tcp.map(({ probe }) => probe)), { ...options, added });
    if ('problem' in output) return void notes.add(output.problem);
    const answers = readScriptAnswers(output.text);
    if (answers.size === 0) notes.add(`the image ${options.image} has no sh with one of ${SCRIPT_TOOLS.join(', ')}`);
    for (const [position, { index, probe }] of tcp.entries()) {
      const verdict = judgeAttempt({ answer: answers.get(position) ?? 'skipped' }, { protocol: 'TCP', port: probe.port, isPod: probe.targetPod !== undefined || probe.isService, listen: undefined });
      if (verdict !== undefined) seen.set(index, verdict);
    }
  });
  if (added.length > 0) notes.add(`an ephemeral container, which has ended, stays listed in ${added.length === 1 ? `the pod ${added[0]}` : `${added.length} pods`} until ${added.length === 1 ? 'that goes' : 'these go'}`);
  return { seen, notes: [...notes] };
}

type Output = { readonly text: string } | { readonly problem: string };

async function runBeside({ place: { namespace, name: pod } }: LivePod, script: string, { api, image, secret, added, ...waiting }: EphemeralMeansOptions & { readonly added: string[] }): Promise<Output> {
  const container = `bulkhead-test-${secret(8)}`;
  try {
    await api.addEphemeralContainer({ namespace, pod }, { name: container, image, command: ['sh', '-c', script], securityContext: SECURITY_CONTEXT });
    added.push(`${namespace}/${pod}`);
    const problem = await untilEnded({ namespace, pod, container }, { api, ...waiting });
    return problem === undefined ? { text: await api.readLog({ namespace, pod }, container) } : { problem };
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return { problem: refusalWords(`${namespace}/${pod}`, error) };
  }
}

function refusalWords(pod: string, { code, message }: ClusterError): string {
  if (/PodSecurity/.test(message)) return `${pod} is left out: Pod Security of its namespace refuses the container: ${message}`;
  if (code === 'forbidden') return `no ephemeral container is added, for that takes the verb patch on pods/ephemeralcontainers and get on pods and pods/log: ${message}`;
  return `${pod} is left out: ${message}`;
}

interface Awaited {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** core/v1, as far as it is read. */
interface ContainerStatus {
  readonly name: string;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string }; readonly terminated?: object };
}

/** undefined: it has ended. */
async function untilEnded({ namespace, pod, container }: Awaited, { api, clock, signal }: Pick<EphemeralMeansOptions, 'clock' | 'signal'> & { readonly api: Pick<ClusterApi, 'get'> }): Promise<string | undefined> {
  const startMs = clock.elapsedMs();
  while (clock.elapsedMs() - startMs < END_WITHIN_MS && !signal.aborted) {
    const stored = await api.get({ served: POD, namespace, name: pod });
    const { ephemeralContainerStatuses = [] } = (stored['status'] ?? {}) as { readonly ephemeralContainerStatuses?: readonly ContainerStatus[] };
    const state = ephemeralContainerStatuses.find(({ name }) => name === container)?.state;
    if (state?.terminated !== undefined) return undefined;
    if (/ErrImage|ImagePull|InvalidImage|CreateContainer/.test(state?.waiting?.reason ?? '')) return `${namespace}/${pod} is left out: its container does not start: ${state?.waiting?.message ?? state?.waiting?.reason}`;
    await sleep(clock, LOOK_MS, signal);
  }
  return `${namespace}/${pod} is left out: its container did not end within ${END_WITHIN_MS / 1000} s`;
}
