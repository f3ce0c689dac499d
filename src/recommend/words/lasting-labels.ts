// Which labels stay on a workload's pods from one release to the next, and say what it is.

/** By the last part of the key: hashes, versions, instances and what counts or names single pods (kubernetes.io "Well-Known Labels", Helm "Labels and Annotations"). */
const PASSING = new Set([
  'version', 'revision', 'instance', 'release', 'chart', 'heritage', 'managed-by', 'created-by', 'shard', 'build', 'commit', 'sha', 'date', 'timestamp', 'tag',
  'pod-name', 'pod-index', 'pod-template-generation', 'job-completion-index', 'controller-uid', 'job-name', 'generation',
]);
const PASSING_PART = /hash|checksum|revision/;

export function isLasting(key: string): boolean {
  const last = key.slice(key.lastIndexOf('/') + 1).toLowerCase();
  // An operator's `…/name` is the name of one instance of it.
  return !PASSING.has(last) && !PASSING_PART.test(last) && key !== 'operator.prometheus.io/name';
}

const PREFERRED: readonly string[] = ['app.kubernetes.io/name', 'app', 'k8s-app', 'name', 'app.kubernetes.io/component', 'component', 'tier', 'role', 'app.kubernetes.io/part-of'];

/** Low first. */
export function preferenceOf(key: string): number {
  const index = PREFERRED.indexOf(key);
  return index < 0 ? PREFERRED.length : index;
}
