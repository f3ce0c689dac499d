// Azure Network Policy Manager on Windows nodes of AKS; it retires.
import { ALL_CLUSTER_KINDS, type Engine, type EngineFact, type Feature } from './engine.ts';

const SOURCE = { source: 'AKS documentation, "Secure pod traffic with network policies", Windows', date: '2026-08' };

function missing(feature: Feature, text: string): EngineFact {
  return { kind: 'feature', feature, isSure: true, text, ...SOURCE };
}

export const AZURE_NPM_WINDOWS: Engine = {
  name: 'azure-npm-windows',
  title: 'Azure Network Policy Manager on Windows',
  aliases: [],
  facts: [
    { kind: 'family-ignored', family: 6, text: 'IPv6 is not enforced', ...SOURCE },
    missing('SCTP', 'SCTP is not supported'),
    missing('named port', 'named ports are not supported'),
    missing('except', '`except` is not supported'),
    missing('NotIn or DoesNotExist', 'selectors with NotIn or DoesNotExist are not supported'),
    { kind: 'policy-kinds', policyKinds: ALL_CLUSTER_KINDS, isSure: true, text: 'cluster-wide policies are not enforced', ...SOURCE },
  ],
};
