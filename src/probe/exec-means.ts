// Connections opened by programs that the pods' containers have, run through the API server.
import { ClusterError } from '../kube/cluster-error.ts';
import type { ExecResult, PodHands } from '../kube/pod-hands.ts';
import type { ConcreteProbe, MeansResult } from './concrete-probe.ts';
import { judgeAttempt } from './judge-attempt.ts';
import type { LivePod } from './live-pods.ts';
import { probeScript, readScriptAnswers, SCRIPT_TOOLS } from './probe-script.ts';
import type { SeenVerdict } from './run-probes.ts';
import { sharePods } from './share-pods.ts';

export interface ExecMeansOptions {
  readonly hands: Pick<PodHands, 'exec'>;
  readonly signal: AbortSignal;
}

/** Of one run of the program in one container. */
const TIMEOUT_MS = 60_000;

/** Nobody listens for these: a port that no server has answers with a refusal, of which nobody knows whose it is. Rights that are missing are notes. */
export async function tryByExec(probes: readonly ConcreteProbe[], { hands, signal }: ExecMeansOptions): Promise<MeansResult> {
  const seen = new Map<number, SeenVerdict>();
  const notes = new Set<string>();
  await sharePods(probes, signal, async (source, own) => {
    const tcp = own.filter(({ probe }) => probe.protocol === 'TCP');
    if (tcp.length < own.length) notes.add('connections of UDP are left out: programs of pods do not say what came of them');
    const output = await runIn(source, probeScript(tcp.map(({ probe }) => probe)), { hands, signal });
    if ('problem' in output) return void notes.add(output.problem);
    const answers = readScriptAnswers(output.text);
    for (const [position, { index, probe }] of tcp.entries()) {
      const verdict = judgeAttempt({ answer: answers.get(position) ?? 'skipped' }, { protocol: 'TCP', port: probe.port, isPod: probe.targetPod !== undefined || probe.isService, listen: undefined });
      if (verdict !== undefined) seen.set(index, verdict);
    }
  });
  return { seen, notes: [...notes] };
}

/** In the first container that has what it takes. */
async function runIn({ place: { namespace, name }, containers }: LivePod, script: string, { hands, signal }: ExecMeansOptions): Promise<{ readonly text: string } | { readonly problem: string }> {
  const pod = `${namespace}/${name}`;
  for (const container of containers) {
    let result: ExecResult;
    try {
      result = await hands.exec({ namespace, pod: name, container, command: ['sh', '-c', script], timeoutMs: TIMEOUT_MS, signal });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.code === 'forbidden') return { problem: `no program is run in pods, for that takes the verbs get and create on pods/exec: ${error.message}` };
      return { problem: `${pod} is left out: ${error.message}` };
    }
    if (result.kind === 'ended' && /^[0-9]+ (connected|refused|silent|failed)$/m.test(result.stdout)) return { text: result.stdout };
  }
  return { problem: `${pod} is left out: no container of it has sh and one of ${SCRIPT_TOOLS.join(', ')}` };
}
