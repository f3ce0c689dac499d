// Compiles a cluster into a Program: pods into groups, addresses into atoms, policies into subjects, peer classes and rows; never by pairs of pods.
import type { Cluster } from '../model/cluster.ts';
import type { Direction } from '../model/network-policy.ts';
import { cutAtoms, type AtomTable } from './atom.ts';
import { createDirection, viewDirection, type DirectionState } from './direction.ts';
import { governedGroups, selectNamespaces } from './governed-groups.ts';
import { groupPods, type Grouping } from './group-pods.ts';
import { ListInterner } from './list-interner.ts';
import { classifyPeers } from './peer-classes.ts';
import { readPolicySet, type PolicySet } from './policy-set.ts';
import { createPortSetTable, type PortSetTable } from './port-set-table.ts';
import type { Program } from './program.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Cost follows pods × labels, groups × selectors that match, and policies × groups they select. Rows are made later, when asked. */
export function compileCluster(cluster: Cluster): Program {
  const { atomTable, groups, groupOfPod, domainNames, portSets, directions } = compileParts(cluster);
  return {
    cluster,
    groups,
    groupOfPod,
    atoms: atomTable.atoms,
    findAtom: (address) => atomTable.find(address),
    domainNames,
    ingress: viewDirection(directions.ingress, groups.length),
    egress: viewDirection(directions.egress, groups.length),
    portSets,
  };
}

/** What a Program is made of; all of it can grow. */
export interface ProgramParts extends Grouping {
  readonly policySet: PolicySet;
  /** Of the blocks over atoms and of the selectors that match groups. */
  readonly lists: ListInterner;
  readonly atomTable: AtomTable;
  readonly selectedNamespaces: Set<string>[];
  readonly domainNames: readonly string[];
  readonly portSets: PortSetTable;
  readonly directions: Readonly<Record<Direction, DirectionState>>;
}

export function compileParts(cluster: Cluster): ProgramParts {
  const portSets = createPortSetTable();
  const policySet = readPolicySet(cluster, portSets);
  const { vocabulary } = policySet;
  const lists = new ListInterner();
  const atomTable = cutAtoms(vocabulary.blocks, cluster.podRanges, lists);
  const grouping = groupPods({ cluster, vocabulary, atomTable, lists, portSets });
  const selectedNamespaces = selectNamespaces(cluster, vocabulary);
  const { groups } = grouping;
  const governed = governedGroups({ vocabulary, groups, selectedNamespaces });
  const domainNames = listDomainNames(vocabulary);
  const createState = (direction: Direction): DirectionState => {
    const peers = classifyPeers({ direction, vocabulary, policySet, groups, selectedNamespaces, blocksOfAtom: atomTable.blocksOfAtom, domainNames, lists });
    return createDirection({ direction, policySet, groups, governed, reader: { peers, portSets } });
  };
  const directions = { ingress: createState('ingress'), egress: createState('egress') };
  return { ...grouping, policySet, lists, atomTable, selectedNamespaces, domainNames, portSets, directions };
}

function listDomainNames(vocabulary: Vocabulary): readonly string[] {
  return vocabulary.peerSets.flatMap((peerSet) => (peerSet.kind === 'domain-name' ? [peerSet.pattern] : [])).sort();
}
