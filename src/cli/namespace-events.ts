// Events about a namespace, as the verbs that watch a cluster write them (events.k8s.io/v1).
import { createHash } from 'node:crypto';
import type { ClusterApi, NewObject } from '../kube/cluster-api.ts';
import { EVENT } from '../status/policy-events.ts';
import { packageVersion } from './package-version.ts';

export interface Saying {
  /** Of an object's name and words alike: `test`, `drift`. */
  readonly verb: string;
  readonly namespace: string;
  readonly reason: string;
  readonly type: 'Normal' | 'Warning';
  /** Cut at the API's bound. */
  readonly note: string;
  /** What is the same for the same Event. */
  readonly key: unknown;
}

/** Of one run; more is on stdout alone. */
export const EVENTS_MAX = 20;
/** Of the API, `note`. */
const NOTE_LENGTH_MAX = 1_000;

/** The first ones; fails with ClusterError at one that is not taken. */
export async function writeEvents(api: Pick<ClusterApi, 'create'>, sayings: readonly Saying[], at: Date): Promise<void> {
  for (const saying of sayings.slice(0, EVENTS_MAX)) await api.create(EVENT, namespaceEvent(saying, at));
}

export function namespaceEvent({ verb, namespace, reason, type, note, key }: Saying, at: Date): NewObject {
  const digest = createHash('sha256').update(JSON.stringify([key, at.getTime()])).digest('hex').slice(0, 16);
  return {
    apiVersion: EVENT.apiVersion,
    kind: EVENT.kind,
    metadata: { name: `bulkhead-${verb}.${digest}`, namespace },
    eventTime: at.toISOString().replace('Z', '000Z'),
    reportingController: `bulkhead.dev/${verb}`,
    reportingInstance: `bulkhead-${verb}-${packageVersion()}`,
    action: `${verb[0]!.toUpperCase()}${verb.slice(1)}`,
    reason,
    type,
    note: note.slice(0, NOTE_LENGTH_MAX),
    // The API takes an Event in another namespace than `default` only where the two namespaces are the same one.
    regarding: { apiVersion: 'v1', kind: 'Namespace', name: namespace, namespace },
  };
}
