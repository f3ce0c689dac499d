// Follows the Services of a cluster, each told once as it comes, changes and goes.
import type { ClusterApi, ClusterObject, ServedKind } from '../kube/cluster-api.ts';
import type { ClusterError } from '../kube/cluster-error.ts';

export const SERVICES: ServedKind = { apiVersion: 'v1', kind: 'Service', resource: 'services', isNamespaced: true };

export interface ServicesListener {
  /** `name`: `namespace/name`. undefined: it is gone. */
  putService(name: string, object: ClusterObject | undefined): void;
  /** undefined: the way to them is open again. */
  servicesTrouble(error: ClusterError | undefined): void;
}

/** Ends when the signal says so. */
export async function followServices(api: Pick<ClusterApi, 'watch'>, listener: ServicesListener, signal: AbortSignal): Promise<void> {
  const known = new Set<string>();
  let told: Set<string> | undefined;
  for await (const event of api.watch(SERVICES, { signal })) {
    if (event.kind === 'trouble') listener.servicesTrouble(event.error);
    if (event.kind === 'resumed' || event.kind === 'synced') listener.servicesTrouble(undefined);
    if (event.kind === 'restart') told = new Set();
    if (event.kind === 'put') {
      const name = nameOf(event.object);
      told?.add(name);
      known.add(name);
      listener.putService(name, event.object);
    }
    const gone = event.kind === 'remove' ? [nameOf(event.object)] : event.kind === 'synced' && told !== undefined ? [...known].filter((name) => !told!.has(name)) : [];
    for (const name of gone) {
      known.delete(name);
      listener.putService(name, undefined);
    }
    if (event.kind === 'synced') told = undefined;
  }
}

function nameOf({ metadata }: ClusterObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
