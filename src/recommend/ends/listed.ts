// Names in a message: some, and how many more.

/** Names in a message; the others are counted. */
const NAMED_MAX = 3;

export function listed(names: readonly string[]): string {
  const rest = names.length - NAMED_MAX;
  return rest > 0 ? `${names.slice(0, NAMED_MAX).join(', ')} and ${rest} more` : names.join(', ');
}
