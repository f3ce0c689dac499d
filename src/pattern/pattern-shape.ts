// What a pattern is: a name, what it must be told, and the policies that it gives.
import type { PolicyDraft } from '../model/policy-draft.ts';
import type { Answers, Topic } from './answers.ts';

export interface Pattern {
  readonly name: string;
  /** What the policy does, in one line. */
  readonly summary: string;
  /** In the order in which they are asked. */
  readonly takes: readonly Take[];
  /** Whom the input is searched for where nobody is named. */
  readonly place?: Place;
  /** Whose ports are meant; missing: nobody's in the cluster. */
  readonly listeners?: 'selected' | 'peers';
  readonly draft: (answers: Answers) => PolicyDraft;
}

export interface Take {
  readonly topic: Topic;
  /** `place`: required where the place is not found in the input. */
  readonly need: 'required' | 'optional' | 'place';
}

export type Place = 'dns' | 'ingress-controller' | 'scraper' | 'api-server';

export function required(...topics: readonly Topic[]): readonly Take[] {
  return topics.map((topic) => ({ topic, need: 'required' }));
}

export function optional(...topics: readonly Topic[]): readonly Take[] {
  return topics.map((topic) => ({ topic, need: 'optional' }));
}

export function placed(...topics: readonly Topic[]): readonly Take[] {
  return topics.map((topic) => ({ topic, need: 'place' }));
}
