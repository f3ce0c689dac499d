// A reachability as a graph: DOT for Graphviz, Mermaid for Markdown; namespaces are boxes.
import { isOutside, type Endpoint } from '../../analyze/endpoints.ts';
import type { Reachability } from '../../analyze/reach.ts';
import { endpointLabel } from './endpoint-label.ts';
import { formatPorts, rememberedPorts } from '../text/port-text.ts';
import { printable } from '../text/printable.ts';

/** Mermaid draws no graph with more edges than `maxEdges`, 500 unless told (Mermaid, "Config"). */
const MERMAID_EDGES_DEFAULT = 500;

export function* reachDot(reachability: Reachability): Generator<string> {
  yield 'digraph reachability {\n  rankdir=LR;\n  node [shape=box];\n';
  for (const [index, [namespace, members]] of [...byNamespace(reachability.endpoints)].entries()) {
    const nodes = members.map((at) => `n${at} [label=${dotText(nodeLabel(reachability.endpoints[at]!))}];`);
    if (namespace === undefined) yield nodes.map((node) => `  ${node.replace(' [', ' [shape=ellipse, ')}\n`).join('');
    else yield `  subgraph cluster_${index} {\n    label=${dotText(namespace)};\n${nodes.map((node) => `    ${node}\n`).join('')}  }\n`;
  }
  const ports = rememberedPorts((set) => dotText(formatPorts(set)));
  for (const row of reachability.rows()) yield `  n${row.source} -> n${row.target} [label=${ports(row.ports)}];\n`;
  yield '}\n';
}

export function* reachMermaid(reachability: Reachability): Generator<string> {
  const ports = rememberedPorts((set) => mermaidText(formatPorts(set)));
  const edges: string[] = [];
  for (const row of reachability.rows()) edges.push(`  n${row.source} -->|${ports(row.ports)}| n${row.target}\n`);
  if (edges.length > MERMAID_EDGES_DEFAULT) yield `%% ${edges.length} edges: set maxEdges of your Mermaid to at least as many\n`;
  yield 'flowchart LR\n';
  for (const [index, [namespace, members]] of [...byNamespace(reachability.endpoints)].entries()) {
    const nodes = members.map((at) => {
      const label = mermaidText(nodeLabel(reachability.endpoints[at]!));
      return namespace === undefined ? `n${at}([${label}])` : `n${at}[${label}]`;
    });
    if (namespace === undefined) yield nodes.map((node) => `  ${node}\n`).join('');
    else yield `  subgraph ns${index}[${mermaidText(namespace)}]\n${nodes.map((node) => `    ${node}\n`).join('')}  end\n`;
  }
  yield* edges;
}

/** Indices of endpoints by namespace, in order of appearance; the outside under undefined. */
function byNamespace(endpoints: readonly Endpoint[]): Map<string | undefined, number[]> {
  const members = new Map<string | undefined, number[]>();
  for (const [index, endpoint] of endpoints.entries()) {
    const namespace = isOutside(endpoint) ? undefined : endpoint.namespace;
    const known = members.get(namespace);
    if (known === undefined) members.set(namespace, [index]);
    else known.push(index);
  }
  return members;
}

/** Without the namespace, which the box around it says; the whole id where more than the name tells it from others. */
function nodeLabel(endpoint: Endpoint): string {
  if (isOutside(endpoint)) return endpointLabel(endpoint);
  const prefix = `${endpoint.namespace}/`;
  return endpoint.id.startsWith(prefix) ? endpoint.id.slice(prefix.length) : endpoint.id;
}

function dotText(text: string): string {
  return `"${printable(text).replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
}

// Mermaid reads HTML entities in quoted labels (Mermaid, "Flowcharts", Entity codes to escape characters).
function mermaidText(text: string): string {
  return `"${printable(text).replace(/["#&<>]/g, (sign) => `#${sign.charCodeAt(0)};`)}"`;
}
