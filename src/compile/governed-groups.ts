// Which namespaces a selector selects, and which groups a policy governs.
import type { Cluster } from '../model/cluster.ts';
import { selects } from '../model/selector.ts';
import type { Group } from './group-pods.ts';
import { groupNumbers } from './number-list.ts';
import type { Vocabulary } from './vocabulary.ts';

/** By namespace selector id, the names of the namespaces it selects. */
export type SelectedNamespaces = readonly ReadonlySet<string>[];

export function selectNamespaces(cluster: Pick<Cluster, 'namespaces'>, vocabulary: Vocabulary): Set<string>[] {
  return vocabulary.namespaceSelectors.map(
    (selector) => new Set(cluster.namespaces.filter((namespace) => selects(selector, namespace)).map((namespace) => namespace.name)),
  );
}

export interface GovernedInput {
  readonly vocabulary: Vocabulary;
  readonly groups: readonly Group[];
  readonly selectedNamespaces: SelectedNamespaces;
}

/** Gives the groups behind the peer set that is a policy's subject. */
export function governedGroups({ vocabulary, groups, selectedNamespaces }: GovernedInput): (subject: number) => readonly Group[] {
  const bySelector = groupNumbers(vocabulary.selectors.selectors.length, groups.length, (group, add) => groups[group]!.selectors.forEach(add));
  const ofSelector = (selector: number): Group[] => {
    const result: Group[] = [];
    for (let i = bySelector.starts[selector]!; i < bySelector.starts[selector + 1]!; i++) result.push(groups[bySelector.members[i]!]!);
    return result;
  };
  const inNamespaces = new Map<number, readonly Group[]>();
  return (subject) => {
    const peerSet = vocabulary.peerSets[subject]!;
    switch (peerSet.kind) {
      case 'own-namespace':
        return ofSelector(peerSet.selector);
      case 'namespaces': {
        let known = inNamespaces.get(subject);
        if (known === undefined) {
          const namespaces = selectedNamespaces[peerSet.namespaceSelector]!;
          inNamespaces.set(subject, (known = ofSelector(peerSet.selector).filter((group) => namespaces.has(group.namespace))));
        }
        return known;
      }
      case 'ip-block':
      case 'whole-family':
      case 'domain-name':
        return [];
    }
  };
}
