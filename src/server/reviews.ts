// Two questions to the API server: whose a token is (TokenReview), and what he may do (SubjectAccessReview).
import type { ClusterApi, ServedKind, StoredObject } from '../kube/cluster-api.ts';

const TOKEN_REVIEW: ServedKind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', resource: 'tokenreviews', isNamespaced: false };
const ACCESS_REVIEW: ServedKind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', resource: 'subjectaccessreviews', isNamespaced: false };

/** UserInfo of authentication.k8s.io/v1, handed on as it comes. */
export interface ReviewedUser {
  readonly username?: unknown;
  readonly uid?: unknown;
  readonly groups?: unknown;
  readonly extra?: unknown;
}

/** SubjectAccessReviewSpec of authorization.k8s.io/v1, without the user. */
export type AccessAttributes =
  | { readonly nonResourceAttributes: { readonly path: string; readonly verb: string } }
  /** Without a namespace: in all of them. */
  | { readonly resourceAttributes: { readonly group: string; readonly resource: string; readonly verb: string; readonly namespace?: string } };

/** undefined: nobody's. With an audience only a token that was made for it is somebody's. Throws ClusterError. */
export async function reviewToken(api: Pick<ClusterApi, 'create'>, token: string, audience?: string): Promise<ReviewedUser | undefined> {
  const spec = { token, ...(audience === undefined ? {} : { audiences: [audience] }) };
  const { authenticated, user, audiences } = statusOf(await api.create(TOKEN_REVIEW, { ...typeOf(TOKEN_REVIEW), spec })) as { readonly authenticated?: unknown; readonly user?: ReviewedUser; readonly audiences?: unknown };
  // An authenticator that knows no audiences names none: then the token was not made for this one.
  const isMeant = audience === undefined || (Array.isArray(audiences) && audiences.includes(audience));
  return authenticated === true && isMeant ? user : undefined;
}

/** Throws ClusterError. */
export async function reviewAccess(api: Pick<ClusterApi, 'create'>, { username, uid, groups, extra }: ReviewedUser, attributes: AccessAttributes): Promise<boolean> {
  const { allowed } = statusOf(await api.create(ACCESS_REVIEW, { ...typeOf(ACCESS_REVIEW), spec: { user: username, uid, groups, extra, ...attributes } })) as { readonly allowed?: unknown };
  return allowed === true;
}

function typeOf({ apiVersion, kind }: ServedKind): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion, kind };
}

function statusOf({ status }: StoredObject): object {
  return typeof status === 'object' && status !== null ? status : {};
}
