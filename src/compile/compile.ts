// Compiles a cluster into a Program: pods into groups, addresses into atoms, policies into subjects, peer classes and rows; never by pairs of pods.
import type { Cluster } from '../model/cluster.ts';
import { DIRECTIONS, type Direction } from '../model/network-policy.ts';
import { cutAtoms } from './atom.ts';
import { createDirection } from './direction.ts';
import { groupPods } from './group-pods.ts';
import { ListInterner } from './list-interner.ts';
import { classifyPeers } from './peer-classes.ts';
import { readPolicySet } from './policy-set.ts';
import { createPortSetTable } from './port-set-table.ts';
import type { DirectionProgram, Program } from './program.ts';
import { buildSubjectTrie } from './subject-trie.ts';

/** Cost follows pods × labels, groups × selectors that match, and policies × groups they select. Rows are made later, when asked. */
export function compileCluster(cluster: Cluster): Program {
  const portSets = createPortSetTable();
  const policySet = readPolicySet(cluster.policies, portSets);
  const lists = new ListInterner();
  const atomTable = cutAtoms(policySet.blocks, cluster.podRanges, lists);
  const { groups, groupOfPod } = groupPods({ cluster, policySet, atomTable, lists, portSets });
  const compileDirection = (direction: Direction): DirectionProgram =>
    createDirection({
      direction,
      portSets,
      peers: classifyPeers({ direction, cluster, policySet, groups, atomTable, blockLists: lists }),
      trie: buildSubjectTrie({ direction, policySet, groups, portSets }),
    });
  const [ingress, egress] = DIRECTIONS.map(compileDirection);
  return { cluster, groups, groupOfPod, atoms: atomTable.atoms, findAtom: atomTable.find, ingress: ingress!, egress: egress!, portSets };
}
