// The annotation of a policy that is to stand for a while only. It changes no meaning: nothing looks at a clock to judge a connection.

/** ISO 8601, UTC: by then somebody should have taken the policy away. */
export const EXPIRES_ANNOTATION = 'bulkhead.dev/expires';

/** When its time was over, as ISO 8601; undefined: it is not, or nobody has set one. What is no time is over. */
export function overdueSince(metadata: { readonly [field: string]: unknown }, now: Date): string | undefined {
  const expires = expiresOf(metadata);
  return expires === undefined || Date.parse(expires) > now.getTime() ? undefined : expires;
}

export function expiresOf({ annotations }: { readonly [field: string]: unknown }): string | undefined {
  const written = (annotations as { readonly [key: string]: unknown } | null | undefined)?.[EXPIRES_ANNOTATION];
  return typeof written === 'string' ? written : undefined;
}
