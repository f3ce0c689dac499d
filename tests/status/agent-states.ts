// States of an agent for tests: a ready node, and a source that can be changed.
import { addCommit, NO_COMMITS } from '../../src/agent/commit-times.ts';
import type { AgentState, PolicyState } from '../../src/agent/agent-state.ts';
import type { StateSource } from '../../src/status/publish-enforcement.ts';
import type { AgentFacts } from '../../src/status/status.ts';

export const FACTS: AgentFacts = { version: '0.1.0', startedAt: new Date(Date.UTC(2026, 0, 1)), kernelRelease: '6.1.0', nftVersion: '1.0.6' };

export const READY: AgentState = {
  node: 'node-1',
  isReady: true,
  troubles: [],
  isEnforcing: true,
  policies: [],
  commits: { count: 3, lastAt: new Date(Date.UTC(2026, 0, 1)), lastMs: 1.5, generations: 1, times: [1.5, 30, 40].reduce(addCommit, NO_COMMITS) },
  names: { addresses: 0, answers: { learnt: 0, other: 0, unreadable: 0, full: 0, unseen: 0 } },
  flows: { drains: 5, drainMs: 12, records: 40, allowed: 90, denied: 3, lost: 0, unexplained: 1, failures: 0 },
  pods: { local: 2, governed: 1, remote: 10 },
  kernel: { table: 'bulkhead', driftRepairs: 0, lastDriftAt: undefined, lastDrift: undefined },
};

export function policy(name: string, given: Partial<PolicyState> = {}): PolicyState {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: 'shop', name, uid: `uid-${name}`, generation: 1, resourceVersion: '1', inForceSince: new Date(Date.UTC(2026, 0, 1)), problem: undefined, isAudited: false, ...given };
}

export class ChangingState implements StateSource {
  state: AgentState;
  readonly #listeners = new Set<() => void>();

  constructor(state: AgentState = READY) {
    this.state = state;
  }

  get isReady(): boolean {
    return this.state.isReady;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(given: Partial<AgentState>): void {
    this.state = { ...this.state, ...given };
    for (const listener of this.#listeners) listener();
  }
}
