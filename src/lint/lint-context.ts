// What every check of a cluster may look at.
import type { Program } from '../compile/program.ts';
import type { Cluster } from '../model/cluster.ts';
import type { PodIndex } from './pod-index.ts';

export interface LintContext {
  readonly cluster: Cluster;
  readonly program: Program;
  readonly index: PodIndex;
  readonly isWholeCluster: boolean;
  /** Names of the unread objects of a namespace, such as `` `Kafka/events` ``. */
  unreadIn(namespace: string): readonly string[];
}
