// What a new policy would change in the input, in a line or two; and what it opens in vain, because the other end is closed.
import { comparePrograms } from '../../compare/compare.ts';
import { groupChanges } from '../../compare/group-changes.ts';
import { compileCluster } from '../../compile/compile.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { PolicyRule } from '../../model/network-policy.ts';
import { formatSelector, type Selector } from '../../model/selector.ts';
import { addPolicies, replacedNames } from '../../pattern/add-policies.ts';
import { findStillRefused, type StillRefused } from '../../pattern/still-refused.ts';
import { differenceSummary } from '../../report/ask/difference.ts';
import { printable } from '../../report/text/printable.ts';

/** Ends named that stay closed; the rest is counted. */
const REFUSED_MAX = 2;

/** `added`: nothing but the policy. */
export function effectNotes(added: Cluster, input: Cluster | undefined): readonly string[] {
  if (input === undefined) return ['nothing was checked: name manifests with -f, or --cluster, and it says what this would change'];
  const after = compileCluster(addPolicies(input, added));
  const comparison = comparePrograms({ before: compileCluster(input), after });
  const refused = findStillRefused(after, added);
  const rest = refused.length - REFUSED_MAX;
  return [
    ...replacedNames(input, added).map((name) => `this replaces ${printable(name)}`),
    `with this policy ${differenceSummary({ comparison, groups: groupChanges(comparison) })}`,
    ...refused.slice(0, REFUSED_MAX).map(refusedNote),
    ...(rest > 0 ? [`and ${rest} more that it opens ${rest === 1 ? 'stays' : 'stay'} refused at the other end`] : []),
  ];
}

function refusedNote(refused: StillRefused): string {
  const { source, target, direction, refusers, isFinal } = refused;
  const [from, to] = [source, target].map(({ workload: { namespace, name } }) => printable(`${namespace}/${name}`));
  const end = direction === 'egress' ? from : to;
  return `${from} → ${to} stays refused: ${direction} of ${end} is closed by ${refusers.map(printable).join(', ')}\n  help: ${isFinal ? 'no NetworkPolicy can open it' : `open that end as well: ${printable(openingCommand(refused))}`}`;
}

function openingCommand({ policy, rule, peer, source, target, direction }: StillRefused): string {
  const isToSource = direction === 'egress';
  const [own, other] = isToSource ? [source, target] : [target, source];
  const word = isToSource ? 'to' : 'from';
  const words = [`bulkhead new allow-${word}-namespace -n ${own.namespace}`, `--${word}-namespace ${other.namespace}`, ...selectorWord('--selector', peer.podSelector), ...selectorWord(`--${word}-selector`, policy.podSelector), ...portWords(rule)];
  return words.join(' ');
}

function selectorWord(option: string, selector: Selector): string[] {
  if (selector.requirements.length === 0) return [];
  const word = formatSelector(selector);
  return [`${option} ${/[\s!()]/.test(word) ? `'${word}'` : word}`];
}

function portWords({ ports }: PolicyRule): string[] {
  if (ports.kind === 'every') return [];
  return ports.ports.map((port) => {
    const protocol = port.protocol.toLowerCase();
    if (port.kind === 'protocol') return `--port ${protocol}`;
    const number = port.kind === 'named' ? port.name : port.first === port.last ? `${port.first}` : `${port.first}-${port.last}`;
    return `--port ${protocol}/${number}`;
  });
}
