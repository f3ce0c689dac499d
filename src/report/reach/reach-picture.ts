// Where everything stands in a picture of who reaches whom: sources on the left, targets on the right, in between what the lines carry.
import { isOutside, type Endpoint } from '../../analyze/endpoints.ts';
import type { Reachability } from '../../analyze/reach.ts';
import { endpointLabel } from './endpoint-label.ts';
import { foldOutside } from '../text/fold-outside.ts';
import { formatPorts } from '../text/port-text.ts';
import { bundleRows, type Bundle } from './reach-bundles.ts';

/** Lengths are in units of the picture, pixels where nobody scales it; `y` is a middle, `top` an upper edge. */
export interface ReachPicture {
  readonly height: number;
  readonly boxes: readonly PictureBox[];
  readonly carriers: readonly Carrier[];
  /** Ranges that are drawn as one, by name. */
  readonly folds: readonly { readonly label: string; readonly members: readonly string[] }[];
}

/** A namespace, or what is outside; it stands on both sides at the same height. */
export interface PictureBox {
  readonly label: string;
  readonly isOutside: boolean;
  readonly top: number;
  readonly height: number;
  readonly ends: readonly PictureEnd[];
}

export interface PictureEnd {
  readonly label: string;
  readonly y: number;
  readonly reaches: boolean;
  readonly isReached: boolean;
}

/** What a bundle carries, with the heights of its ends. */
export interface Carrier {
  readonly text: string;
  readonly y: number;
  readonly sourceYs: readonly number[];
  readonly targetYs: readonly number[];
}

const TOP = 48;
const HEADER = 26;
const ROW = 22;
const FOOT = 8;
const GAP = 14;
const CARRIER_STEP = 27;
/** Of a box's line to all of its ends, below its top. */
const HEADER_MIDDLE = 13;

export function layReach(reachability: Reachability): ReachPicture {
  const { endpoints } = reachability;
  const { shown, folds } = foldRanges(reachability);
  const rows = [...reachability.rows()].filter(({ source, target }) => shown.has(source) && shown.has(target));
  const bundles = bundleRows(rows, (end) => isOnePod(endpoints[end]!));
  const groups = [...Map.groupBy(shown.keys(), (end) => groupOf(endpoints[end]!))].sort(([a], [b]) => Number(a === undefined) - Number(b === undefined));
  const [sources, targets] = [new Set(rows.map(({ source }) => source)), new Set(rows.map(({ target }) => target))];
  const heights = new Map<number, number>();
  const boxes: PictureBox[] = [];
  let top = TOP;
  for (const [namespace, members] of groups) {
    for (const [index, end] of members.entries()) heights.set(end, top + HEADER + ROW * index + ROW / 2);
    const ends = members.map((end): PictureEnd => ({ label: labelOf(endpoints[end]!, shown.get(end)!), y: heights.get(end)!, reaches: sources.has(end), isReached: targets.has(end) }));
    const height = HEADER + ROW * members.length + FOOT;
    boxes.push({ label: namespace ?? 'outside', isOutside: namespace === undefined, top, height, ends });
    top += height + GAP;
  }
  const attach = attacher(groups.map(([, members], index) => ({ members, y: boxes[index]!.top + HEADER_MIDDLE })), heights);
  const carriers = bundles.map((bundle) => carrierOf(bundle, attach));
  const height = Math.max(top, TOP + CARRIER_STEP * carriers.length + GAP);
  return { height, boxes, carriers: spread(carriers, height), folds };
}

interface Folded {
  /** Ends that are drawn, with how many others each stands for. */
  readonly shown: ReadonlyMap<number, number>;
  readonly folds: ReachPicture['folds'];
}

function foldRanges({ endpoints, rows }: Reachability): Folded {
  const table = new Map<string, string>();
  for (const { source, target, ports } of rows()) table.set(`${source} ${target}`, ports.join());
  const labels = endpoints.map(endpointLabel);
  const ends = endpoints.map((endpoint, index) => ({ label: labels[index]!, isOutside: isOutside(endpoint) }));
  const folded = foldOutside(ends, (source, target) => ({ text: table.get(`${source} ${target}`) ?? '', tone: 'none' }));
  return {
    shown: new Map(folded.map(({ index, members }) => [index, members.length - 1])),
    folds: folded.filter(({ members }) => members.length > 1).map(({ index, members }) => ({ label: labelOf(endpoints[index]!, members.length - 1), members: members.map((member) => labels[member]!) })),
  };
}

function groupOf(endpoint: Endpoint): string | undefined {
  return isOutside(endpoint) ? undefined : endpoint.namespace;
}

function isOnePod(endpoint: Endpoint): boolean {
  return !isOutside(endpoint) && endpoint.pods === 1;
}

/** Without the namespace, which the box says. */
function labelOf(endpoint: Endpoint, others: number): string {
  const label = endpointLabel(endpoint);
  if (isOutside(endpoint)) return others === 0 ? label : `${label} +${others}`;
  const prefix = `${endpoint.namespace}/`;
  return label.startsWith(prefix) ? label.slice(prefix.length) : label;
}

interface Group {
  readonly members: readonly number[];
  readonly y: number;
}

/** Lines to every end of a box become one line to the box. */
function attacher(groups: readonly Group[], heights: ReadonlyMap<number, number>): (ends: readonly number[]) => number[] {
  return (ends) => {
    const wanted = new Set(ends);
    return groups.flatMap(({ members, y }) => {
      const own = members.filter((end) => wanted.has(end));
      return own.length === members.length && own.length > 1 ? [y] : own.map((end) => heights.get(end)!);
    });
  };
}

function carrierOf({ ports, sources, targets }: Bundle, attach: (ends: readonly number[]) => number[]): Carrier {
  const [sourceYs, targetYs] = [attach(sources), attach(targets)];
  const mean = (ys: readonly number[]): number => ys.reduce((sum, y) => sum + y, 0) / ys.length;
  return { text: formatPorts(ports), y: (mean(sourceYs) + mean(targetYs)) / 2, sourceYs, targetYs };
}

/** As near to where they would like to stand as their own height allows. */
function spread(carriers: readonly Carrier[], height: number): Carrier[] {
  const sorted = [...carriers].sort((a, b) => a.y - b.y || a.sourceYs[0]! - b.sourceYs[0]!);
  const ys: number[] = [];
  for (const { y } of sorted) ys.push(Math.max(y, (ys.at(-1) ?? TOP - CARRIER_STEP / 2) + CARRIER_STEP));
  for (let index = ys.length - 1, floor = height - CARRIER_STEP / 2; index >= 0 && ys[index]! > floor; index--, floor -= CARRIER_STEP) ys[index] = floor;
  return sorted.map((carrier, index) => ({ ...carrier, y: ys[index]! }));
}
