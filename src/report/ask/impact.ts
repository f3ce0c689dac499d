// What a compromised pod reaches, as text and as JSON: hop by hop, its score, and the walls that would cut most.
import { rangeLabel } from '../../base/range-label.ts';
import { formatIpRange } from '../../base/ip-address.ts';
import type { Impact, Wall } from '../../analyze/impact.ts';
import type { OutsideGroup } from '../../analyze/outside-ports.ts';
import type { WallAdvice } from '../../analyze/wall-advice.ts';
import { locateOrigin } from '../../model/origin.ts';
import { placeOf } from '../findings/finding-text.ts';
import { jsonPorts } from '../text/port-json.ts';
import { formatPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';
import { reachedRows } from './reached-rows.ts';
import type { Style } from '../text/style.ts';
import { alignColumns } from '../text/table.ts';
import { count, countOf } from '../text/truth-table.ts';

/** An impact with the words that it answers. */
export interface ImpactAnswer {
  readonly pod: string;
  readonly hopsMax: number | undefined;
  readonly impact: Impact;
  /** What the pod itself may open outside the cluster. */
  readonly outside: readonly OutsideGroup[];
  readonly walls: readonly { readonly wall: Wall; readonly advice: WallAdvice }[];
}

export function impactText(answer: ImpactAnswer, style: Style): string {
  const { pod, hopsMax, impact, outside, walls } = answer;
  const { reachedPods, otherPods, score } = impact;
  const within = hopsMax === undefined ? '' : ` within ${countOf(hopsMax, 'hop')}`;
  const paint = score === 0 ? style.green : score < 50 ? style.yellow : style.red;
  const head = `${style.bold(printable(pod))}, broken into, reaches ${paint(`${count(reachedPods)} of ${countOf(otherPods, 'other pod')} (${formatScore(score)}%)`)}${within}`;
  const rows = [...reachedRows(impact.reached()), ...outside.map(outsideRow)];
  return [
    head,
    ...alignColumns(rows).map((line) => `  ${line}`),
    ...wallsHead(answer, style),
    ...walls.map(({ wall, advice }) => `  ${countOf(wall.pods, 'pod')} at ${printable(wall.endpoint.id)}: ${printable(adviceText(wall, advice))}`),
    '',
  ].join('\n');
}

export function impactsJson(answers: readonly ImpactAnswer[]): string {
  return `${JSON.stringify({ apiVersion: 'bulkhead/v1', kind: 'Impacts', impacts: answers.map(jsonImpact) }, undefined, 2)}\n`;
}

/** What is reached through the host network of every node, no wall keeps out. */
function wallsHead({ impact, walls }: ImpactAnswer, style: Style): string[] {
  if (walls.length > 0) return [style.bold('one wall would cut off')];
  return impact.reachedPods === 0 ? [] : ['no single wall would cut off any: no policy keeps out the host network of a pod\'s own node'];
}

/** Ranges named in a row; more are counted. */
const RANGES_MAX = 4;

function outsideRow({ ranges, ports }: OutsideGroup): string[] {
  const shown = ranges.slice(0, RANGES_MAX).map(rangeLabel).join(', ');
  return ['outside', ranges.length > RANGES_MAX ? `${shown} and ${ranges.length - RANGES_MAX} more` : shown, formatPorts(ports)];
}

export function formatScore(score: number): string {
  return score > 0 && score < 1 ? '<1' : `${Math.round(score)}`;
}

/** One sentence: what to write. */
function adviceText({ endpoint }: Wall, advice: WallAdvice): string {
  switch (advice.kind) {
    case 'add-policy': {
      const labels = advice.labels.map(([key, value]) => `${key}: ${value}`).join(', ');
      return `add a NetworkPolicy to ${advice.namespace} with podSelector { matchLabels: { ${labels} } } and policyTypes [Ingress] that names who must come in`;
    }
    case 'narrow-rules':
      return `narrow ${advice.rules.map(({ policy, rule }) => `ingress rule ${rule.index + 1} of NetworkPolicy ${policy.namespace}/${policy.name} (${placeText(rule.origin)})`).join(' and ')}`;
    case 'host-network':
      return `take ${endpoint.id} off the network of its node, where no NetworkPolicy governs it`;
    case 'other':
      return 'refuse it in the policies that let it in';
  }
}

function placeText(origin: Parameters<typeof locateOrigin>[0]): string {
  const { file, range } = locateOrigin(origin);
  return placeOf(file, range);
}

function jsonImpact({ pod, hopsMax, impact, outside, walls }: ImpactAnswer): object {
  const { reachedPods, otherPods, score } = impact;
  return {
    pod,
    ...(hopsMax === undefined ? {} : { hops: hopsMax }),
    reachedPods,
    otherPods,
    score: Math.round(score * 100) / 100,
    podsByHop: impact.podsByHop,
    reached: impact.reached().map(({ endpoint, pods, distance, via, ports }) => ({ id: endpoint.id, kind: endpoint.kind, pods, distance, ...(via && { via: via.id }), ...jsonPorts(ports) })),
    outside: outside.map(({ ranges, ports }) => ({ ranges: ranges.map(formatIpRange), ...jsonPorts(ports) })),
    walls: walls.map(({ wall, advice }) => ({ id: wall.endpoint.id, pods: wall.pods, advice: adviceText(wall, advice), ...jsonAdvice(advice) })),
  };
}

function jsonAdvice(advice: WallAdvice): object {
  if (advice.kind !== 'narrow-rules') return { kind: advice.kind };
  return { kind: advice.kind, rules: advice.rules.map(({ policy, rule }) => ({ kind: policy.kind, namespace: policy.namespace, name: policy.name, rule: rule.index, ...locateOrigin(rule.origin) })) };
}
