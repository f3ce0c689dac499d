// A real API server does what the contract of a cluster says, as the fake does.
import { KubeApi } from '../../src/kube/kube-api.ts';
import { openConnection } from '../../src/kube/kube-config.ts';
import { clusterCases, type ClusterWorld } from '../kube/cluster-cases.ts';
import { needs } from '../needs.ts';
import { startApiServer, type ApiServer } from './api-server.ts';
import { restrictedUser } from './restricted-user.ts';
import { applyObject, deleteObject } from './write-object.ts';

const wants = needs('apiserver');
const server = wants.skip === undefined ? startApiServer() : undefined;

clusterCases(() => openWorld(server!), wants);

let restrictedUsers = 0;

async function openWorld(running: ApiServer): Promise<ClusterWorld> {
  const connection = await openConnection({ kubeconfig: running.kubeconfig });
  return {
    api: new KubeApi(connection),
    apply: (object) => applyObject(connection, object),
    remove: (object) => deleteObject(connection, object),
    restricted: async (resources) => new KubeApi(await openConnection({ kubeconfig: restrictedUser(running, `carol-${++restrictedUsers}`, resources) })),
  };
}
