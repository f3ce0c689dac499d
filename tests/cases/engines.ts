// Everything that can answer a case: each engine says in its own way who reaches whom, and every one is held against every page.
import type { Need } from '../needs.ts';
import { fakeDisagreements } from './fake-engine.ts';
import { kernelDisagreements } from './kernel-engine.ts';
import { answerReach, type LoadedCase } from './loaded-case.ts';
import { referenceDisagreements } from './reference-engine.ts';

export interface CaseEngine {
  readonly name: string;
  readonly needs: readonly Need[];
  /** The places where the engine answers otherwise than the page expects. */
  disagreements(loaded: LoadedCase): readonly string[] | Promise<readonly string[]>;
}

export const ENGINES: readonly CaseEngine[] = [
  { name: 'analyze', needs: [], disagreements: (loaded) => textDifference(loaded.page.expected, answerReach(loaded)) },
  { name: 'the reference', needs: [], disagreements: referenceDisagreements },
  { name: 'the emitted rules in the fake', needs: [], disagreements: fakeDisagreements },
  { name: 'the kernel, by live connections', needs: ['kernel'], disagreements: kernelDisagreements },
];

function textDifference(expected: string, actual: string): readonly string[] {
  if (actual === expected) return [];
  const wanted = new Set(expected.split('\n'));
  const given = new Set(actual.split('\n'));
  return [
    ...[...wanted].filter((line) => !given.has(line)).map((line) => `- ${line}`),
    ...[...given].filter((line) => !wanted.has(line)).map((line) => `+ ${line}`),
    ...(wanted.size === given.size ? ['the lines stand in another order'] : []),
  ];
}
