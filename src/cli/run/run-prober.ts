// `bulkhead agent --probing`: a process that enters the network namespaces of a node's pods and opens the connections that ConnectionProbes ask for.
import { accessSync, constants } from 'node:fs';
import { openNetnsFolder } from '../../kernel/netns-folder.ts';
import { dropRights } from '../../kernel/process-rights.ts';
import { openKubeApi } from '../../kube/kube-api.ts';
import type { ClusterChoice } from '../../kube/kube-config.ts';
import { runNodeProber } from '../../probe/node-prober.ts';
import type { Log } from './agent-log.ts';
import { listenForInterruption } from '../../terminal/interruption.ts';
import { systemClock } from '../system-clock.ts';

export interface ProberOptions {
  readonly node: string;
  readonly cluster: ClusterChoice;
  readonly netns: string;
  readonly log: Log;
}

/** Keeps the three capabilities that it takes. Gives the exit status. */
export async function runProber({ node, cluster, netns, log }: ProberOptions): Promise<number> {
  dropRights(['SYS_ADMIN', 'NET_ADMIN', 'NET_BIND_SERVICE']);
  if (!isReadable(netns)) {
    log('error', `the folder ${netns}, where container runtimes keep the network namespaces of pods, cannot be read; in a pod it has to be mounted, as \`bulkhead agent --manifests --probing\` does`);
    return 3;
  }
  const api = await openKubeApi(cluster);
  const interruption = listenForInterruption();
  const stop = new AbortController();
  void interruption.come.then(() => stop.abort());
  try {
    log('info', `answers connection probes for the pods of node ${node}`);
    await runNodeProber({ api, node, openNetwork: (mark) => openNetnsFolder(netns, mark), clock: systemClock, onNote: log, signal: stop.signal });
  } finally {
    interruption.stopListening();
  }
  return 0;
}

function isReadable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
