// Who sends, reads and forgets flows: the cluster's own authorization decides, by verbs of the resources `flowbatches` and `flows` of the group bulkhead.dev.
import type { IncomingMessage } from 'node:http';
import { RememberedReviews } from '../../server/remembered-reviews.ts';
import type { ReviewedUser } from '../../server/reviews.ts';
import type { Readable } from '../store/readable-flows.ts';
import { bearerOf, Refusal } from './exchange.ts';

export const GROUP = 'bulkhead.dev';
/** Tokens of agents are made for us alone: nobody can use one against the API server. */
export const AGENT_AUDIENCE = 'bulkhead-server';
/** The claim of a bound token: Kubernetes 1.30, KEP-4193. */
const NODE_CLAIM = 'authentication.kubernetes.io/node-name';
/** Beyond it a reader without the right to all of them names those that he wants. */
export const NAMESPACES_ASKED_MAX = 200;

/** `get` reads, `delete` deletes, `update` redacts. */
export type FlowVerb = 'get' | 'delete' | 'update';

/** Every function throws Refusal. */
export interface Admission {
  /** Whether he may send flows of this node. */
  admitAgent(request: IncomingMessage, node: string): Promise<void>;
  /** Of the namespaces named, or of those that there are, the ones he may. */
  admitReader(request: IncomingMessage, verb: FlowVerb, namespaces: NamespaceWish): Promise<Readable>;
  admitPath(request: IncomingMessage, path: string): Promise<void>;
}

export interface NamespaceWish {
  readonly named: readonly string[];
  readonly known: () => readonly string[];
}

/** For a server that this host alone can reach. */
export const EVERYBODY: Admission = {
  admitAgent: async () => undefined,
  admitReader: async (_request, _verb, { named }) => (named.length === 0 ? 'all' : new Set(named)),
  admitPath: async () => undefined,
};

export class ReviewedAdmission implements Admission {
  readonly #reviews: RememberedReviews;

  constructor(reviews: RememberedReviews) {
    this.#reviews = reviews;
  }

  async admitAgent(request: IncomingMessage, node: string): Promise<void> {
    const user = await this.#userOf(request, AGENT_AUDIENCE);
    const claimed = nodesOf(user);
    if (claimed.length !== 1 || claimed[0] !== node) throw new Refusal(403, `an agent sends the flows of its own node alone, and the token names ${claimed.length === 1 ? `the node ${claimed[0]}` : 'no node'}`);
    if (!(await this.#may(user, { resource: 'flowbatches', verb: 'create' }))) throw new Refusal(403, 'create of flowbatches in the group bulkhead.dev is not granted');
  }

  async admitReader(request: IncomingMessage, verb: FlowVerb, { named, known }: NamespaceWish): Promise<Readable> {
    const user = await this.#userOf(request);
    if (await this.#may(user, { resource: 'flows', verb })) return named.length === 0 ? 'all' : new Set(named);
    const asked = named.length === 0 ? known() : named;
    if (asked.length > NAMESPACES_ASKED_MAX) throw new Refusal(403, `there are more than ${NAMESPACES_ASKED_MAX} namespaces: name those that you may read, by namespace=NAME`);
    const granted = await Promise.all(asked.map((namespace) => this.#may(user, { resource: 'flows', verb, namespace })));
    const readable = new Set(asked.filter((_, index) => granted[index]));
    const refused = named.find((namespace) => !readable.has(namespace));
    if (readable.size === 0 || refused !== undefined) throw new Refusal(403, `${verb} of flows in the group bulkhead.dev is not granted in ${refused === undefined ? 'any namespace that has flows' : `the namespace ${refused}`}`);
    return readable;
  }

  async admitPath(request: IncomingMessage, path: string): Promise<void> {
    const user = await this.#userOf(request);
    if (!(await this.#vouched(this.#reviews.may(user, { nonResourceAttributes: { path, verb: 'get' } })))) throw new Refusal(403, `get of ${path} is not granted`);
  }

  async #userOf(request: IncomingMessage, audience?: string): Promise<ReviewedUser> {
    const user = await this.#vouched(this.#reviews.userOf(bearerOf(request), audience));
    if (user === undefined) throw new Refusal(401, audience === undefined ? 'the cluster does not know this token' : `the cluster does not know this token, made for the audience ${audience}`);
    return user;
  }

  #may(user: ReviewedUser, attributes: { readonly resource: string; readonly verb: string; readonly namespace?: string }): Promise<boolean> {
    return this.#vouched(this.#reviews.may(user, { resourceAttributes: { group: GROUP, ...attributes } }));
  }

  /** Closed where nobody answers. */
  async #vouched<T>(review: Promise<T>): Promise<T> {
    try {
      return await review;
    } catch {
      throw new Refusal(503, 'the API server does not say who this is', 5);
    }
  }
}

function nodesOf({ extra }: ReviewedUser): readonly unknown[] {
  const nodes = typeof extra === 'object' && extra !== null ? (extra as Readonly<Record<string, unknown>>)[NODE_CLAIM] : undefined;
  return Array.isArray(nodes) ? nodes : [];
}
