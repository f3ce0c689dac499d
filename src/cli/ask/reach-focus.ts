// The words of `--from`, `--to`, `--focus` and `--port` become what a reachability is cut down to.
import type { Direction } from '../../model/network-policy.ts';
import type { Program } from '../../compile/program.ts';
import type { ReachFocus } from '../../analyze/focus-reach.ts';
import type { NamedEnds } from '../../analyze/named-ends.ts';
import { findEnds } from '../../words/endpoint-words.ts';
import { parsePorts } from '../../words/port-words.ts';
import { UsageError } from '../../terminal/failures.ts';

export interface FocusWords {
  readonly from?: string;
  readonly to?: string;
  readonly focus?: string;
  readonly direction?: Direction;
  readonly port?: string;
}

export function focusOf(program: Program, { from, to, focus, direction, port }: FocusWords): ReachFocus {
  if (direction !== undefined && focus === undefined) throw new UsageError('--direction is that of --focus', 'name the ends with --focus WORD');
  const ends = (word: string | undefined): NamedEnds | undefined => (word === undefined ? undefined : findEnds(program, word));
  const [sources, targets, either] = [ends(from), ends(to), ends(focus)];
  const ports = port === undefined ? undefined : parsePorts(port, program.cluster.pods);
  if (direction === undefined || either === undefined) return { ...(sources && { sources }), ...(targets && { targets }), ...(either && { either }), ...(ports && { ports }) };
  const isIn = direction === 'ingress';
  if ((isIn ? targets : sources) !== undefined) throw new UsageError(`--direction ${direction} with --focus is --${isIn ? 'to' : 'from'}`, 'give one of the two');
  return { ...(isIn ? { targets: either, ...(sources && { sources }) } : { sources: either, ...(targets && { targets }) }), ...(ports && { ports }) };
}
