// Users of a real cluster who may do less than its administrator.
import { writeFileSync } from 'node:fs';
import type { ApiServer } from './api-server.ts';

/** A user who may list everything that is read but `resources`: the administrator in her name. */
export function restrictedUser(running: ApiServer, user: string, resources: readonly string[]): string {
  const all = ['pods', 'nodes', 'namespaces', 'services', 'replicationcontrollers', 'deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'daemonsets.apps', 'jobs.batch', 'cronjobs.batch'];
  const networking = ['networkpolicies.networking.k8s.io', 'ingresses.networking.k8s.io', 'ingressclasses.networking.k8s.io', 'endpointslices.discovery.k8s.io'];
  const granted = [...all, ...networking].filter((resource) => !resources.includes(resource));
  running.kubectl(['create', 'clusterrole', user, '--verb=get,list', `--resource=${granted.join(',')}`]);
  running.kubectl(['create', 'clusterrolebinding', user, `--clusterrole=${user}`, `--user=${user}`]);
  return otherUser(running, user, (credentials) => ({ ...credentials, as: user }));
}

/** A kubeconfig for the same server with other credentials; goes with the server. */
export function otherUser(running: ApiServer, name: string, change: (credentials: object) => object): string {
  const config = JSON.parse(running.kubectl(['config', 'view', '--raw', '-o', 'json'])) as { users: { user: object }[] };
  for (const entry of config.users) entry.user = change(entry.user);
  const file = `${running.kubeconfig}.${name}`;
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
