// Compiles a cluster into a Program: pods into groups, addresses into atoms, policies into subjects, peer classes and rows; never by pairs of pods.
import type { Cluster } from '../model/cluster.ts';
import type { Direction } from '../model/network-policy.ts';
import { cutAtoms } from './atom.ts';
import { createDirection, viewDirection } from './direction.ts';
import { governedGroups, selectNamespaces } from './governed-groups.ts';
import { groupPods } from './group-pods.ts';
import { ListInterner } from './list-interner.ts';
import { classifyPeers } from './peer-classes.ts';
import { readPolicySet } from './policy-set.ts';
import { createPortSetTable } from './port-set-table.ts';
import type { DirectionProgram, Program } from './program.ts';

/** Cost follows pods × labels, groups × selectors that match, and policies × groups they select. Rows are made later, when asked. */
export function compileCluster(cluster: Cluster): Program {
  const portSets = createPortSetTable();
  const policySet = readPolicySet(cluster, portSets);
  const { vocabulary } = policySet;
  const blockLists = new ListInterner();
  const atomTable = cutAtoms(vocabulary.blocks, cluster.podRanges, blockLists);
  const { groups, groupOfPod } = groupPods({ cluster, vocabulary, atomTable, lists: blockLists, portSets });
  const selectedNamespaces = selectNamespaces(cluster, vocabulary);
  const governed = governedGroups({ vocabulary, groups, selectedNamespaces });
  const domainNames = vocabulary.peerSets.flatMap((peerSet) => (peerSet.kind === 'domain-name' ? [peerSet.pattern] : [])).sort();
  const compileDirection = (direction: Direction): DirectionProgram => {
    const peers = classifyPeers({ direction, vocabulary, policySet, groups, selectedNamespaces, blocksOfAtom: atomTable.blocksOfAtom, domainNames, blockLists });
    return viewDirection(createDirection({ direction, policySet, groups, governed, reader: { peers, portSets } }), groups.length);
  };
  return {
    cluster,
    groups,
    groupOfPod,
    atoms: atomTable.atoms,
    findAtom: atomTable.find,
    domainNames,
    ingress: compileDirection('ingress'),
    egress: compileDirection('egress'),
    portSets,
  };
}
