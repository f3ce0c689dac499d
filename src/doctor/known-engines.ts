// All that is known of engines and providers: a file of data each, checked as it is read.
import * as v from 'valibot';
import awsVpcCniEngine from './engines/aws-vpc-cni.json' with { type: 'json' };
import eksAutoEngine from './engines/eks-auto.json' with { type: 'json' };
import calicoEngine from './engines/calico.json' with { type: 'json' };
import canalEngine from './engines/canal.json' with { type: 'json' };
import ciliumEngine from './engines/cilium.json' with { type: 'json' };
import gkeDataplaneV2Engine from './engines/gke-dataplane-v2.json' with { type: 'json' };
import azureNpmEngine from './engines/azure-npm.json' with { type: 'json' };
import azureNpmWindowsEngine from './engines/azure-npm-windows.json' with { type: 'json' };
import antreaEngine from './engines/antrea.json' with { type: 'json' };
import ovnKubernetesEngine from './engines/ovn-kubernetes.json' with { type: 'json' };
import kubeRouterEngine from './engines/kube-router.json' with { type: 'json' };
import k3sEngine from './engines/k3s.json' with { type: 'json' };
import kindnetEngine from './engines/kindnet.json' with { type: 'json' };
import kubeNetworkPoliciesEngine from './engines/kube-network-policies.json' with { type: 'json' };
import flannelEngine from './engines/flannel.json' with { type: 'json' };
import weaveEngine from './engines/weave.json' with { type: 'json' };
import kubeOvnEngine from './engines/kube-ovn.json' with { type: 'json' };
import terwayEngine from './engines/terway.json' with { type: 'json' };
import bulkheadEngine from './engines/bulkhead.json' with { type: 'json' };
import eksProvider from './providers/eks.json' with { type: 'json' };
import aksProvider from './providers/aks.json' with { type: 'json' };
import gkeProvider from './providers/gke.json' with { type: 'json' };
import ackProvider from './providers/ack.json' with { type: 'json' };
import openshiftProvider from './providers/openshift.json' with { type: 'json' };
import rke2Provider from './providers/rke2.json' with { type: 'json' };
import k3sProvider from './providers/k3s.json' with { type: 'json' };
import kindProvider from './providers/kind.json' with { type: 'json' };
import { ENGINE_SCHEMA, PROVIDER_SCHEMA } from './knowledge.ts';
import type { Knowledge } from './read-facts.ts';

const ENGINES: readonly unknown[] = [awsVpcCniEngine, eksAutoEngine, calicoEngine, canalEngine, ciliumEngine, gkeDataplaneV2Engine, azureNpmEngine, azureNpmWindowsEngine, antreaEngine, ovnKubernetesEngine, kubeRouterEngine, k3sEngine, kindnetEngine, kubeNetworkPoliciesEngine, flannelEngine, weaveEngine, kubeOvnEngine, terwayEngine, bulkheadEngine];
const PROVIDERS: readonly unknown[] = [eksProvider, aksProvider, gkeProvider, ackProvider, openshiftProvider, rke2Provider, k3sProvider, kindProvider];

/** Throws where a file of ours is broken: a bug. */
export function loadKnowledge(): Knowledge {
  return { engines: ENGINES.map((data) => v.parse(ENGINE_SCHEMA, data)), providers: PROVIDERS.map((data) => v.parse(PROVIDER_SCHEMA, data)) };
}
