// The contract of what is done to one running pod: a program run in a container, one asked that listens, a container added to it, what a container said.

/** Every function fails with `ClusterError`. */
export interface PodHands {
  /** Runs to its end, or until the time is over. */
  exec(request: ExecRequest): Promise<ExecResult>;
  /** It stays in the pod for as long as that lives: nobody can take it out again. Fails with `conflict` where one of its name is there. */
  addEphemeralContainer(pod: PodPlace, container: EphemeralContainer): Promise<void>;
  /** What a container has written so far, up to a bound. */
  readLog(pod: PodPlace, container: string): Promise<string>;
}

export interface PodPlace {
  readonly namespace: string;
  readonly pod: string;
}

export interface ExecRequest extends PodPlace {
  /** The server's choice when missing. */
  readonly container?: string;
  readonly command: readonly string[];
  /** After it the program is left alone, and what it said so far is lost: ClusterError `unreachable`. */
  readonly timeoutMs: number;
  /** Of both streams together; 1 MB when missing. What is more is cut off. */
  readonly outputBytesMax?: number;
  readonly signal?: AbortSignal;
}

export interface PodAsking {
  /** The body of what a program in the pod answers to a plain GET on its loopback. Fails with `ClusterError`. */
  ask(question: PodQuestion): Promise<string>;
}

export interface PodQuestion extends PodPlace {
  readonly port: number;
  /** With the query. */
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export type ExecResult =
  | { readonly kind: 'ended'; readonly status: number; readonly stdout: string; readonly stderr: string; readonly isCut: boolean }
  /** The container has no such program, or does not run: the server's words. */
  | { readonly kind: 'not-started'; readonly reason: string };

/** As core/v1 has it; what is not given is the server's choice. */
export interface EphemeralContainer {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly securityContext?: { readonly [field: string]: unknown };
}
