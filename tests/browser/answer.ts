// What the engine says of some manifests, in one text: the same function runs in Node, in a page and in a worker.
import {
  compileCluster,
  explain,
  explanationsJson,
  findExposures,
  formatFindings,
  lintCluster,
  PLAIN_STYLE,
  reach,
  reachJson,
  readManifests,
  repairText,
  sourceFromText,
  type EndpointRef,
} from '../../src/index.ts';

export interface Manifest {
  readonly name: string;
  readonly text: string;
}

/** Pairs that are explained. */
const EXPLAINED_MAX = 50;

export function answerOf(manifests: readonly Manifest[]): string {
  const repairs = manifests.map(({ name, text }) => repairText(name, text));
  const { cluster, findings } = readManifests(repairs.map(({ text }, index) => sourceFromText(manifests[index]!.name, text)), { lenient: true });
  const program = compileCluster(cluster);
  const all = [...repairs.flatMap((repair) => repair.findings), ...findings, ...lintCluster(cluster, program)];
  const layout = { style: PLAIN_STYLE, widthColumns: 120 };
  const rows = (['workload', 'namespace'] as const).flatMap((by) => [...reachJson(reach(program, { by }), all)]);
  const ends = cluster.pods.slice(0, 8).map((_, pod): EndpointRef => ({ kind: 'pod', pod }));
  const explained = ends
    .flatMap((source) => ends.map((target) => ({ source, target })))
    .slice(0, EXPLAINED_MAX)
    .map(({ source, target }) => ({ source: { name: 'a', isOutside: false }, target: { name: 'b', isOutside: false }, asked: undefined, explanation: explain(program, { source, target }) }));
  const exposed = findExposures(program).map(({ sources, targets }) => `${sources.kind} ${targets.map(({ verdict }) => verdict).join(' ')}\n`);
  return [...repairs.map(({ text }) => text), ...rows, explanationsJson(explained), ...exposed, ...formatFindings('json', all, { ...layout, lineOf: () => undefined, version: '0', files: [] })].join('');
}
