// Policies that were made here as the YAML that a server takes, with their comments.
import { Document, isMap, isNode, isScalar } from 'yaml';
import type { TierRule } from '../../model/cluster-policy.ts';
import { DIRECTIONS, type PolicyRule } from '../../model/network-policy.ts';
import type { Path } from '../../model/origin.ts';
import type { PolicyDraft, PolicyPart } from '../../model/policy-draft.ts';
import { peerUnits } from '../../compare/split-rule.ts';
import type { ConvertedPolicy } from '../../compare/convert.ts';
import { clusterPolicyObject, networkPolicyObject, peersWord, writtenRules } from './policy-object.ts';
import { printable } from '../text/printable.ts';

/** One document for each; read again they are the same policies. */
export function* policiesYaml(drafts: Iterable<PolicyDraft>): Generator<string> {
  let mark = '';
  for (const draft of drafts) {
    yield `${mark}${policyYaml(draft)}`;
    mark = '---\n';
  }
}

/** With what each replaces in a comment. */
export function convertedYaml(policies: readonly ConvertedPolicy[]): Generator<string> {
  return policiesYaml(policies.map(({ policy, replaces }) => {
    const words = replaces.kind === 'ClusterNetworkPolicy' ? `had the priority ${replaces.priority}` : `was the ${replaces.kind} ${printable(replaces.name)}`;
    return { policy, comments: new Map([[policy, words]]) };
  }));
}

function policyYaml({ policy, comments }: PolicyDraft): string {
  // Read by kubectl as YAML 1.1, to which a bare `yes` is no text.
  const document = new Document(policy.kind === 'NetworkPolicy' ? networkPolicyObject(policy) : clusterPolicyObject(policy), { version: '1.1' });
  for (const [part, path] of placesOf(policy)) {
    const words = comments.get(part);
    if (words !== undefined) commentAt(document, path, words);
  }
  const head = comments.get(policy);
  return `${head === undefined ? '' : `${commentLines(head).map((line) => `#${line}`).join('\n')}\n`}${document.toString({ lineWidth: 0 })}`;
}

/** Above an item of a list, or above a key. Parts that stand in one item gather their comments there. */
function commentAt(document: Document, path: Path, words: string): void {
  const last = path.at(-1)!;
  const parent = document.getIn(path.slice(0, -1), true);
  const node = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key : document.getIn(path, true);
  if (!isNode(node)) throw new Error(`bug: nothing stands at ${path.join('.')}`);
  node.commentBefore = [node.commentBefore ?? [], commentLines(words)].flat().join('\n');
}

/** A line of a comment cannot end its line, whatever names stand in it. */
function commentLines(words: string): string[] {
  return words.split('\n').map((line) => (line === '' ? '' : ` ${printable(line)}`));
}

function placesOf(policy: PolicyDraft['policy']): readonly (readonly [PolicyPart, Path])[] {
  const subject: readonly [PolicyPart, Path] = policy.kind === 'NetworkPolicy' ? [policy.podSelector, ['spec', 'podSelector']] : [policy.subject, ['spec', 'subject']];
  const portsWord = policy.kind === 'NetworkPolicy' ? 'ports' : 'protocols';
  const rules = DIRECTIONS.flatMap((direction) => writtenRules<PolicyRule | TierRule>(policy[direction] ?? []).flatMap((rule, index): (readonly [PolicyPart, Path])[] => {
    const place = ['spec', direction, index];
    return [
      [rule, place],
      ...peerItems(rule).flatMap((item, at) => item.map((peer) => [peer, [...place, peersWord(direction), at]] as const)),
      ...(rule.ports.kind === 'listed' ? rule.ports.ports : []).map((port, at) => [port, [...place, portsWord, at]] as const),
    ];
  }));
  return [subject, ...rules];
}

/** What stands together in each item of `from` or `to`. */
function peerItems(rule: PolicyRule | TierRule): readonly (readonly PolicyPart[])[] {
  if (rule.peers.kind === 'everybody') return [];
  return 'action' in rule ? peerUnits(rule.peers.peers) : rule.peers.peers.map((peer) => [peer]);
}
