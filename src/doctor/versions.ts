// Versions as numbers in a row, so that 1.9 is older than 1.17.

/** undefined: there is no number in it. A leading `v` and what follows the numbers do not count. */
export function versionNumbers(text: string): readonly number[] | undefined {
  const found = /(?:^|[^0-9.])v?([0-9]+(?:\.[0-9]+)*)/.exec(text);
  return found === null ? undefined : found[1]!.split('.').map(Number);
}

/** undefined: one of them has no number. What one of them does not say does not count: 1.17 is not older than 1.17.4. */
export function isOlder(text: string, bound: string): boolean | undefined {
  const [left, right] = [versionNumbers(text), versionNumbers(bound)];
  if (left === undefined || right === undefined) return undefined;
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    if (left[index] !== right[index]) return left[index]! < right[index]!;
  }
  return false;
}

/** The tag, without the digest: `v1.17.2` of `quay.io/cilium/cilium:v1.17.2@sha256:…`. */
export function imageTag(image: string): string | undefined {
  return /:([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$/.exec(image.split('@')[0]!)?.[1];
}

/** Without registry ports, tag and digest. */
export function imageRepository(image: string): string {
  return image.split('@')[0]!.replace(/:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, '');
}
