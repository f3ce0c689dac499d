// All engines that are known, and the one that a word names.
import { ANTREA } from './antrea.ts';
import { AWS_VPC_CNI } from './aws-vpc-cni.ts';
import { AZURE_NPM } from './azure-npm.ts';
import { AZURE_NPM_WINDOWS } from './azure-npm-windows.ts';
import { CALICO } from './calico.ts';
import { CILIUM } from './cilium.ts';
import { ENGINE_NAMES, type Engine, type EngineName } from './engine.ts';
import { FLANNEL } from './flannel.ts';
import { KUBE_NETWORK_POLICIES } from './kube-network-policies.ts';
import { KUBE_ROUTER } from './kube-router.ts';
import { OVN_KUBERNETES } from './ovn-kubernetes.ts';

const ENGINES: Readonly<Record<EngineName, Engine>> = {
  cilium: CILIUM,
  calico: CALICO,
  'aws-vpc-cni': AWS_VPC_CNI,
  antrea: ANTREA,
  'ovn-kubernetes': OVN_KUBERNETES,
  'kube-router': KUBE_ROUTER,
  'kube-network-policies': KUBE_NETWORK_POLICIES,
  'azure-npm': AZURE_NPM,
  'azure-npm-windows': AZURE_NPM_WINDOWS,
  flannel: FLANNEL,
};

/** In the order of their names' list. */
export const ALL_ENGINES: readonly Engine[] = ENGINE_NAMES.map((name) => ENGINES[name]);

/** Names first, then the other words for them. */
export const ENGINE_WORDS: readonly string[] = [...ENGINE_NAMES, ...ALL_ENGINES.flatMap(({ aliases }) => aliases)];

/** undefined: the word names none. */
export function findEngine(word: string): Engine | undefined {
  return ALL_ENGINES.find(({ name, aliases }) => name === word || aliases.includes(word));
}
