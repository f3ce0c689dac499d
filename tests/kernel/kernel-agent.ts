// An agent on a real kernel, beside a cluster in memory: started and ready, waited for, ended as by kill -9.
import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent, type RunningAgent } from '../../src/agent/agent.ts';

/** The firewall ends with the agent. */
export class KernelAgent {
  readonly #running: RunningAgent;
  readonly #options: Omit<Parameters<typeof startAgent>[0], 'signal'>;
  readonly #stop = new AbortController();

  constructor(options: Omit<Parameters<typeof startAgent>[0], 'signal'>) {
    this.#options = options;
    this.#running = startAgent({ ...options, signal: this.#stop.signal });
  }

  get agent(): RunningAgent['agent'] {
    return this.#running.agent;
  }

  async ready(): Promise<void> {
    await until(() => this.agent.state.isReady && this.agent.state.troubles.length === 0, 'the agent is not ready');
  }

  async committed(act: () => void): Promise<void> {
    const { count } = this.agent.commits;
    act();
    await until(() => this.agent.commits.count > count, 'nothing was committed');
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running.ended;
    this.#options.firewall.close();
  }
}

/** Bound by the test's own. */
export async function until(isSo: () => boolean, message: string): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries === 4000) throw new Error(message);
    await sleep(5);
  }
}
