// The policy that lets a caller in, written beside the object that says that it calls.
import type { TextEdit } from '../../base/finding.ts';
import type { Pod } from '../../model/cluster.ts';
import type { Requirement } from '../../model/selector.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import type { CalledPods } from './callers.ts';
import { addDocument } from '../edits/document-edit.ts';
import type { LintContext } from '../context/lint-context.ts';
import { isPlainText } from '../edits/policy-place.ts';
import { policiesOnto } from '../context/rules-onto.ts';

export interface WantedCaller {
  readonly called: CalledPods;
  readonly beside: WrittenObject;
  /** Of the policy's name, behind that of the workload. */
  readonly suffix: string;
  /** Becomes its comment. */
  readonly why: string;
  /** The lines of `from`; undefined: everybody. */
  readonly peer: readonly string[] | undefined;
}

/** None where several workloads are called, or no labels tell the one from others. */
export function policyForCaller(context: LintContext, { called, beside, suffix, why, peer }: WantedCaller): TextEdit[] {
  const pod = context.cluster.pods[called.pod]!;
  const labels = called.isOneWorkload ? labelsOf(context, called.pod) : undefined;
  const name = `${pod.workload.name}-${suffix}`;
  const isTaken = context.cluster.policies.some((policy) => policy.namespace === pod.namespace && policy.name === name);
  if (labels === undefined || isTaken) return [];
  return addDocument(beside, [
    `# ${why}.`,
    'apiVersion: networking.k8s.io/v1',
    'kind: NetworkPolicy',
    'metadata:',
    `  name: ${name}`,
    `  namespace: ${pod.namespace}`,
    'spec:',
    '  podSelector:',
    '    matchLabels:',
    ...labels.map(([key, value]) => `      ${key}: ${isPlainText(value) ? value : JSON.stringify(value)}`),
    '  policyTypes: [Ingress]',
    '  ingress:',
    ...(peer === undefined ? [] : ['  - from:', ...peer.map((line) => `    ${line}`)]),
    `  ${peer === undefined ? '-' : ' '} ports:`,
    `    - port: ${called.port}`,
  ]);
}

type Labels = readonly (readonly [key: string, value: string])[];

/** As a policy of the pod's own names it, else by the first label that no other workload of the namespace has. */
function labelsOf(context: LintContext, number: number): Labels | undefined {
  const pod = context.cluster.pods[number]!;
  const named = policiesOnto(context, number).flatMap(({ podSelector }) => (podSelector.requirements.length > 0 && podSelector.requirements.every(isOneValue) ? [podSelector.requirements.map(({ key, values }): Labels[number] => [key, values[0]!])] : []));
  const single = [...pod.labels].map((label): Labels => [label]);
  return [...named, ...single].find((labels) => selectsOnly(context, pod, labels));
}

function isOneValue(requirement: Requirement): requirement is Requirement & { readonly values: readonly string[] } {
  return requirement.kind === 'In' && requirement.values.length === 1;
}

function selectsOnly({ index }: LintContext, pod: Pod, labels: Labels): boolean {
  const others = index.podsIn(pod.namespace).filter((other) => labels.every(([key, value]) => other.labels.get(key) === value));
  return others.every(({ workload }) => workload.kind === pod.workload.kind && workload.name === pod.workload.name);
}
