// The flows of all agents of a cluster as they come, also of those whose nodes join meanwhile, and after one began anew.
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/sleep.ts';
import type { ClusterApi } from '../kube/cluster-api.ts';
import { ClusterError } from '../kube/cluster-error.ts';
import type { PodAsking } from '../kube/pod-hands.ts';
import { findAgents, readAgentFlows, type AgentPod } from './read-agent-flows.ts';

export interface AgentsFollowing {
  readonly api: Pick<ClusterApi, 'listWhole'> & { converse(): PodAsking & { close(): void } };
  readonly clock: Pick<Clock, 'after'>;
  readonly signal: AbortSignal;
  /** Lines of one agent, as `readFlow` takes them. */
  readonly take: (lines: readonly string[]) => Promise<void>;
  /** Who is not heard, and why, and who is heard again: once, not each time it is tried. */
  readonly say: (message: string) => Promise<void>;
}

/** Until who is not heard is asked again, and until it is looked whether there are new nodes. */
const ASK_AGAIN_MS = 2_000;
const LOOK_MS = 10_000;

/** `agents` are those that there are: of them what comes from now on, of later ones all. Ends with the signal; fails for a bug only. */
export async function followAgentFlows(agents: readonly AgentPod[], following: AgentsFollowing): Promise<void> {
  await new FollowedAgents(following).run(agents);
}

/** A class, for it lives in time. */
class FollowedAgents {
  readonly #following: AgentsFollowing;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** By node, as all that follows. */
  readonly #heard = new Map<string, Promise<void>>();
  readonly #cursors = new Map<string, number>();
  /** Of the API server under no name. */
  readonly #troubles = new Map<string, string>();
  readonly #gone = new Set<string>();
  #bug: unknown;

  constructor(following: AgentsFollowing) {
    this.#following = following;
    this.#signal = AbortSignal.any([following.signal, this.#stop.signal]);
  }

  async run(first: readonly AgentPod[]): Promise<void> {
    const known = new Set(first.map(({ node }) => node));
    for (let agents = first; !this.#signal.aborted; agents = await this.#look()) {
      for (const { node } of agents) if (!known.has(node)) this.#cursors.set(node, 0);
      for (const agent of agents) {
        known.add(agent.node);
        this.#hear(agent);
      }
      await this.#wait();
    }
    await Promise.all(this.#heard.values());
    if (this.#bug !== undefined) throw this.#bug;
  }

  async #wait(): Promise<void> {
    for (let waitedMs = 0; waitedMs < LOOK_MS && !this.#signal.aborted; waitedMs += ASK_AGAIN_MS) {
      await sleep(this.#following.clock, ASK_AGAIN_MS, this.#signal);
      if (this.#troubles.size > 0) return;
    }
  }

  async #look(): Promise<readonly AgentPod[]> {
    if (this.#signal.aborted) return [];
    try {
      const agents = await findAgents(this.#following.api);
      await this.#over('');
      await this.#sayGone(new Set(agents.map(({ node }) => node)));
      return agents;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      await this.#trouble('', `whether nodes have joined is not known: ${error.message}`);
      return [];
    }
  }

  async #sayGone(nodes: ReadonlySet<string>): Promise<void> {
    for (const node of nodes) this.#gone.delete(node);
    for (const node of this.#cursors.keys()) {
      if (nodes.has(node) || this.#gone.has(node)) continue;
      this.#gone.add(node);
      this.#troubles.delete(node);
      await this.#following.say(`no agent runs on node ${node} any more`);
    }
  }

  #hear(agent: AgentPod): void {
    if (this.#heard.has(agent.node)) return;
    const heard = this.#hearOne(agent).catch((error: unknown) => {
      this.#bug ??= error;
      this.#stop.abort();
    });
    this.#heard.set(agent.node, heard.finally(() => this.#heard.delete(agent.node)));
  }

  /** Until it is heard no more. */
  async #hearOne(agent: AgentPod): Promise<void> {
    const { api, take } = this.#following;
    const { node } = agent;
    const hands = api.converse();
    const close = (): void => hands.close();
    this.#signal.addEventListener('abort', close, { once: true });
    try {
      let after = this.#cursors.get(node) ?? (await readAgentFlows(hands, agent, { signal: this.#signal })).next;
      while (!this.#signal.aborted) {
        this.#cursors.set(node, after);
        const { lines, next } = await readAgentFlows(hands, agent, { after, signal: this.#signal });
        after = next;
        await this.#over(node);
        await take(lines);
      }
    } catch (error) {
      if (this.#signal.aborted) return;
      if (!(error instanceof ClusterError)) throw error;
      await this.#trouble(node, `the agent of node ${node} is not heard: ${error.message}`);
    } finally {
      this.#signal.removeEventListener('abort', close);
      hands.close();
    }
  }

  async #trouble(node: string, message: string): Promise<void> {
    if (this.#troubles.get(node) === message) return;
    this.#troubles.set(node, message);
    await this.#following.say(message);
  }

  async #over(node: string): Promise<void> {
    if (this.#troubles.delete(node)) await this.#following.say(node === '' ? 'the API server answers again' : `the agent of node ${node} is heard again`);
  }
}
