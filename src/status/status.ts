// What the agent of a node knows, said to the world and read back: metrics, health, NodeEnforcement objects, Events; nothing is claimed that its state does not hold.

/** The agent as a program, beside what it knows of its node. */
export interface AgentFacts {
  readonly version: string;
  readonly startedAt: Date;
  /** As uname says it. */
  readonly kernelRelease: string;
  readonly nftVersion: string;
}
