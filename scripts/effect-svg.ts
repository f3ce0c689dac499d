// The effect of a policy as a picture: the pods that it governs in the middle, who reaches them on the left, whom they reach on the right.
import { parseIpAddress } from '../src/base/ip-address.ts';
import { unionPorts, type PortSet } from '../src/base/port-set.ts';
import { isOutside, listEndpoints, type Endpoint, type OutsideEndpoint } from '../src/analyze/endpoints.ts';
import { reach } from '../src/analyze/reach.ts';
import { compileCluster } from '../src/compile/compile.ts';
import type { Cluster, Pod, Policy } from '../src/model/cluster.ts';
import type { ClusterPolicy } from '../src/model/cluster-policy.ts';
import { findNamespace } from '../src/model/find-namespace.ts';
import { DIRECTIONS, type Direction } from '../src/model/network-policy.ts';
import { selects } from '../src/model/selector.ts';
import { addPolicies } from '../src/pattern/add-policies.ts';
import { endLister } from '../src/report/ask/end-list.ts';
import { formatPorts } from '../src/report/text/port-text.ts';

/** `added`: nothing but the policies. */
export function effectSvg(input: Cluster, added: Cluster): string {
  const program = compileCluster(addPolicies(input, added));
  const placed = listEndpoints(program, 'workload');
  const { cluster } = program;
  const subjects = [...placed.keys()].filter((index) => placed[index]!.podIndices.some((pod) => isGoverned(cluster.pods[pod]!, cluster, added)));
  const { portsFrom, portSet } = reach(program, { by: 'workload' });
  const rows = placed.map((_, source) => Array.from(portsFrom(source), portSet));
  const view: View = { endpoints: placed.map(({ endpoint }) => endpoint), subjects, rows };
  const governed = new Set(DIRECTIONS.filter((direction) => [...added.policies, ...added.clusterPolicies].some((policy) => governs(policy, direction))));
  const sides = { ingress: sideOf(view, 'ingress', governed), egress: sideOf(view, 'egress', governed) };
  return draw(endLister(view.endpoints)(subjects).split(', '), sides);
}

interface View {
  readonly endpoints: readonly Endpoint[];
  /** Indices of the ends that the policies govern. */
  readonly subjects: readonly number[];
  /** Ports by source, then target. */
  readonly rows: readonly (readonly PortSet[])[];
}

function governs(policy: Policy | ClusterPolicy, direction: Direction): boolean {
  return policy.kind === 'NetworkPolicy' ? policy[direction] !== undefined : policy[direction].length > 0;
}

function isGoverned(pod: Pod, cluster: Cluster, { policies, clusterPolicies }: Cluster): boolean {
  const namespace = findNamespace(cluster, pod.namespace)!;
  return policies.some((policy) => policy.namespace === pod.namespace && selects(policy.podSelector, pod))
    || clusterPolicies.some(({ subject }) => selects(subject.namespaceSelector, namespace) && selects(subject.podSelector, pod));
}

/** Peers that are treated alike, and how. */
interface Band {
  readonly names: readonly string[];
  /** `nothing` where nothing is allowed; undefined: this direction is not governed. */
  readonly ports: string | undefined;
}

function sideOf(view: View, direction: Direction, governed: ReadonlySet<Direction>): readonly Band[] {
  if (!governed.has(direction)) return [{ names: ['everybody'], ports: undefined }];
  const { endpoints, subjects } = view;
  const peers = [...endpoints.keys()].filter((index) => !subjects.includes(index));
  const bands = Map.groupBy(peers, (peer) => bandKey(view, direction, peer));
  const own = subjects.length > 1 ? ownPorts(view) : undefined;
  const listed = [...bands].map(([ports, members]) => ({ names: [...(ports === own ? ['each other'] : []), ...namesOf(endpoints, members, [...bands.values()])], ports }));
  const alone = own === undefined || bands.has(own) ? [] : [{ names: ['each other'], ports: own }];
  return [...alone, ...listed].sort((a, b) => Number(a.ports === 'nothing') - Number(b.ports === 'nothing'));
}

/** On what a peer and the governed pods may talk, all of them alike, or some. */
function bandKey(view: View, direction: Direction, peer: number): string {
  const each = view.subjects.map((subject) => (direction === 'ingress' ? view.rows[peer]![subject]! : view.rows[subject]![peer]!));
  const words = new Set(each.map(formatPorts));
  if (words.size === 1) return [...words][0]!;
  return `${formatPorts(each.reduce(unionPorts))} of some`;
}

function ownPorts(view: View): string {
  const each = view.subjects.flatMap((source) => view.subjects.filter((target) => target !== source).map((target) => view.rows[source]![target]!));
  const words = new Set(each.map(formatPorts));
  return words.size === 1 ? [...words][0]! : `${formatPorts(each.reduce(unionPorts))} of some`;
}

/** Of the addresses outside, the largest part is `other addresses` where there are several. */
function namesOf(endpoints: readonly Endpoint[], members: readonly number[], bands: readonly (readonly number[])[]): readonly string[] {
  const sizes = bands.map((band) => band.flatMap((index) => (isOutside(endpoints[index]!) ? [sizeOf(endpoints[index]!)] : [])).reduce((a, b) => a + b, 0));
  const own = sizes[bands.indexOf(bands.find((band) => band === members)!)]!;
  const isRest = own > 0 && sizes.filter((size) => size > 0).length > 1 && own === Math.max(...sizes);
  const pods = members.filter((index) => !isOutside(endpoints[index]!));
  const list = endLister(endpoints);
  const outside = members.filter((index) => isOutside(endpoints[index]!));
  return [pods, isRest ? [] : outside].flatMap((part) => (part.length === 0 ? [] : list(part).split(', '))).concat(isRest ? 'other addresses' : []);
}

/** IPv6 counts as much as IPv4: the share of its family. */
function sizeOf(endpoint: OutsideEndpoint): number {
  if (endpoint.kind !== 'Range') return 0;
  const [first, last] = [parseIpAddress(endpoint.first)!, parseIpAddress(endpoint.last)!];
  return Number(last.value - first.value + 1n) / 2 ** (first.family === 4 ? 32 : 128);
}

// The drawing, in units of SVG.
const WIDTH = 860;
const BOX_WIDTH = 210;
const CENTER_WIDTH = 180;
const LINE_HEIGHT = 18;
const PADDING = 9;
const GAP = 14;
const TOP = 40;
/** Of a sign in a box, about. */
const SIGN_WIDTH = 6.4;
/** Signs that fit above an arrow. */
const ARROW_SIGNS = 19;

const STYLE = `
  text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; fill: #59636e }
  .label { font-size: 11px; text-anchor: middle }
  rect { fill: #f6f8fa; stroke: #8c959f; rx: 6 }
  .page { fill: #ffffff; stroke: none }
  .subject { fill: #ddf4ff; stroke: #0969da }
  .allowed { stroke: #1a7f37; stroke-width: 2 } .allowed-text { fill: #1a7f37 }
  .refused { stroke: #cf222e; stroke-width: 2; stroke-dasharray: 5 4 } .refused-text { fill: #cf222e }
  .cross { stroke: #cf222e; stroke-width: 2.5 }
  .ungoverned { stroke: #8c959f; stroke-width: 1.5 } .ungoverned-text { fill: #59636e }`;

function draw(subjects: readonly string[], { ingress, egress }: Readonly<Record<Direction, readonly Band[]>>): string {
  const height = TOP + Math.max(stackHeight(ingress), stackHeight(egress), boxHeight(subjects)) + GAP;
  const centerLeft = (WIDTH - CENTER_WIDTH) / 2;
  const centerHeight = height - TOP - GAP;
  const parts = [
    `<rect class="page" width="${WIDTH}" height="${height}"/>`,
    title(GAP, 'who reaches them'),
    title(centerLeft, 'the pods it governs'),
    title(WIDTH - GAP - BOX_WIDTH, 'whom they reach'),
    box({ left: centerLeft, top: TOP, width: CENTER_WIDTH, height: centerHeight, names: subjects, kind: 'subject' }),
    ...stack(ingress, { boxLeft: GAP, arrowStart: GAP + BOX_WIDTH, arrowEnd: centerLeft }),
    ...stack(egress, { boxLeft: WIDTH - GAP - BOX_WIDTH, arrowStart: centerLeft + CENTER_WIDTH, arrowEnd: WIDTH - GAP - BOX_WIDTH }),
  ];
  const arrow = '<defs>' + ['allowed', 'ungoverned'].map((kind) => `<marker id="${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8Z" class="${kind}-text" style="stroke:none"/></marker>`).join('') + '</defs>';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">\n<title>${escape(subjects.join(', '))}: who reaches them, and whom they reach</title>\n<style>${STYLE}\n</style>\n${arrow}\n${parts.join('\n')}\n</svg>\n`;
}

interface Stack {
  readonly boxLeft: number;
  readonly arrowStart: number;
  readonly arrowEnd: number;
}

function stack(bands: readonly Band[], { boxLeft, arrowStart, arrowEnd }: Stack): string[] {
  let top = TOP;
  return bands.flatMap((band) => {
    const height = boxHeight(band.names);
    const parts = [box({ left: boxLeft, top, width: BOX_WIDTH, height, names: band.names, kind: 'peer' }), arrow(band, { start: arrowStart, end: arrowEnd, y: top + height / 2 })];
    top += height + GAP;
    return parts;
  });
}

function stackHeight(bands: readonly Band[]): number {
  return bands.reduce((sum, { names }) => sum + boxHeight(names) + GAP, -GAP);
}

function boxHeight(names: readonly string[]): number {
  return Math.max(2, names.length) * LINE_HEIGHT + 2 * PADDING - 4;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly names: readonly string[];
  readonly kind: 'subject' | 'peer';
}

function box({ left, top, width, height, names, kind }: Box): string {
  const first = top + height / 2 - ((names.length - 1) * LINE_HEIGHT) / 2 + 4;
  const lines = names.map((name, index) => `<text x="${left + PADDING}" y="${first + index * LINE_HEIGHT}">${escape(cut(name, Math.floor((width - 2 * PADDING) / SIGN_WIDTH)))}</text>`);
  return `<rect class="${kind}" x="${left}" y="${top}" width="${width}" height="${height}"/>${lines.join('')}`;
}

function arrow({ ports }: Band, { start, end, y }: { readonly start: number; readonly end: number; readonly y: number }): string {
  const kind = ports === undefined ? 'ungoverned' : ports === 'nothing' ? 'refused' : 'allowed';
  const words = ports === undefined ? 'as before' : ports === 'all' ? 'everything' : ports;
  const middle = (start + end) / 2;
  const line = `<line class="${kind}" x1="${start + 4}" y1="${y}" x2="${end - 4}" y2="${y}"${kind === 'refused' ? '' : ` marker-end="url(#${kind})"`}/>`;
  const cross = kind === 'refused' ? `<path class="cross" d="M${middle - 6} ${y - 6}l12 12m0-12l-12 12"/>` : '';
  const label = kind === 'refused' ? '' : `<text class="label ${kind}-text" x="${middle}" y="${y - 6}"><title>${escape(words)}</title>${escape(cut(words, ARROW_SIGNS))}</text>`;
  return `${line}${cross}${label}`;
}

function title(left: number, text: string): string {
  return `<text class="title" x="${left}" y="24">${text}</text>`;
}

function cut(text: string, signs: number): string {
  return text.length <= signs ? text : `${text.slice(0, signs - 1)}…`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
