// The statements that controls rest on, by the names that the data of the frameworks gives them.

/**
 * `ingress-limited`, `egress-limited`: between every pod, also one added tomorrow, and a stranger pod some port of each
 * protocol is closed. `outside-in-limited`, `outside-out-limited`: the same between every pod and the outside. `scopes-in`,
 * `scopes-out`: nothing comes into a scope, or leaves it, but what the scope names. `scopes-not-outside`: no address outside
 * opens a connection to a pod of a scope itself. `enforced`: something enforces policies on every node. `tested-12-months`,
 * `tested-6-months`: connections were tried in the cluster within that time, and none failed; never known to hold.
 */
export const STATEMENT_IDS = ['enforced', 'ingress-limited', 'egress-limited', 'outside-in-limited', 'outside-out-limited', 'scopes-in', 'scopes-out', 'scopes-not-outside', 'tested-12-months', 'tested-6-months'] as const;
export type StatementId = (typeof STATEMENT_IDS)[number];
