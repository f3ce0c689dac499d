// Puts variables of a container into the texts that name them: as Kubernetes does, as a shell does, and as configuration files do.

export type Variables = ReadonlyMap<string, string>;

/** What one text may grow to, in UTF-16 units; beyond it stays as it is. */
const EXPANDED_MAX = 65_536;

// `$(NAME)` (Kubernetes, "Define Dependent Environment Variables"), `$NAME`, `${NAME}`, `${NAME:-default}`, Spring's `${NAME:default}`.
const REFERENCE = /\$\(([A-Za-z_][\w.-]*)\)|\$\{([A-Za-z_][\w.]*)(?::-?([^${}]*))?\}|\$([A-Za-z_]\w*)/g;

/** A name that nobody set stays as it is written, unless a default stands beside it. `$$` is a sign of its own. */
export function expandVariables(text: string, variables: Variables): string {
  if (!text.includes('$')) return text;
  const expanded = text.replace(REFERENCE, (whole: string, own?: string, braced?: string, otherwise?: string, bare?: string) => variables.get(own ?? braced ?? bare ?? '') ?? otherwise ?? whole);
  return expanded.length > EXPANDED_MAX ? text : expanded;
}
