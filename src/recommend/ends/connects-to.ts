// Our annotation for what no other text shows.

/** Whom the pods connect to, as `db:5432`, as a URL, or as several of them. */
export const CONNECTS_TO = 'bulkhead.dev/connects-to';
