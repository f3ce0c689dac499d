// Who may read a path of an agent: whoever the cluster says, by what it said of tokens and rights a while ago.
import type { RememberedReviews } from './remembered-reviews.ts';
import type { Gatekeeper } from './server.ts';

export function gatekeeperOf(reviews: RememberedReviews): Gatekeeper {
  return {
    async admit(token, path) {
      try {
        const user = await reviews.userOf(token);
        if (user === undefined) return 'unknown';
        return (await reviews.may(user, { nonResourceAttributes: { path, verb: 'get' } })) ? 'allowed' : 'forbidden';
      } catch {
        return 'unanswered'; // nobody vouches for him: closed, and asked again next time
      }
    },
  };
}
