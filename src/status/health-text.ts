// What the agent answers to whoever asks whether the kernel holds what it should.
import type { AgentState } from '../agent/agent-state.ts';

export interface Health {
  readonly isReady: boolean;
  /** `ready`, or a line for each reason why not. */
  readonly text: string;
}

/** Lines; more reasons are counted. */
const REASONS_MAX = 20;

export function readiness(state: AgentState): Health {
  if (state.isReady) return { isReady: true, text: 'ready\n' };
  const shown = state.troubles.slice(0, REASONS_MAX).map(({ code, message, since }) => `${code}: ${message} (since ${since.toISOString()})\n`);
  const more = state.troubles.length - shown.length;
  return { isReady: false, text: `not ready\n${shown.join('')}${more > 0 ? `and ${more} more\n` : ''}` };
}
