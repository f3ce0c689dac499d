// A list page by page: smaller pages where they are too large, begun anew where the server has forgotten it.
import { ClusterError } from './cluster-error.ts';

/** Objects in one page of a list. */
const PAGE_OBJECTS = 500;
/** How often a list that the server has forgotten is begun again in pages; after that it is asked for whole. */
const LIST_RESTARTS_MAX = 2;
/** A page too large to hold is asked for again with so many times fewer objects. */
const PAGE_SHRINK = 8;

export type ListPage =
  /** `version`: of the state that the list shows; `next`: where the next page goes on. */
  | { readonly kind: 'page'; readonly items: readonly unknown[]; readonly version: string; readonly next: string | undefined }
  /** What came so far is void, and all of it comes again. */
  | { readonly kind: 'restart' };

export interface PageQuery {
  readonly limit: string | undefined;
  readonly continue: string | undefined;
}

/** `ask` gives the parsed answer, and fails with ClusterError. */
export async function* listPages(ask: (query: PageQuery) => Promise<unknown>): AsyncGenerator<ListPage> {
  let limit = PAGE_OBJECTS;
  let restarts = 0;
  let place: string | undefined;
  for (;;) {
    const page = await fetchPage(ask, { limit: limit === 0 ? undefined : `${limit}`, continue: place });
    if (page.kind === 'page') {
      yield page;
      if (page.next === undefined) return;
      place = page.next;
    } else if (page.kind === 'too-large') {
      if (limit === 1) throw page.error;
      limit = limit === 0 ? PAGE_OBJECTS : Math.max(1, Math.floor(limit / PAGE_SHRINK));
    } else {
      if (restarts > LIST_RESTARTS_MAX) throw page.error;
      if (restarts === LIST_RESTARTS_MAX) limit = 0;
      restarts++;
      place = undefined;
      yield { kind: 'restart' };
    }
  }
}

type Fetched = Extract<ListPage, { readonly kind: 'page' }> | { readonly kind: 'expired' | 'too-large'; readonly error: ClusterError };

async function fetchPage(ask: (query: PageQuery) => Promise<unknown>, query: PageQuery): Promise<Fetched> {
  try {
    return readPage(await ask(query));
  } catch (error) {
    if (error instanceof ClusterError && (error.code === 'expired' || error.code === 'too-large')) return { kind: error.code, error };
    throw error;
  }
}

function readPage(document: unknown): Fetched {
  const { items, metadata } = document as { readonly items?: unknown; readonly metadata?: { readonly continue?: unknown; readonly resourceVersion?: unknown } }; // looked at below
  if (items !== null && items !== undefined && !Array.isArray(items)) throw new ClusterError('server-error', 'the API server answers a list without items');
  const next = metadata?.continue;
  const version = metadata?.resourceVersion;
  return { kind: 'page', items: (items ?? []) as readonly unknown[], version: typeof version === 'string' ? version : '', next: typeof next === 'string' && next !== '' ? next : undefined };
}
