// Patterns of domain names, as policies name them.

/** `*.x` covers every name that ends in `.x`, patterns included, and never `x` itself. Both lower case and without a trailing dot. */
export function coversDomainName(pattern: string, name: string): boolean {
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : pattern === name;
}
