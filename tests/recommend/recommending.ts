// Recommends policies for manifests that stand in a test, and says what they open.
import { sourceFromText, readManifests } from '../../src/read/read.ts';
import { endName, type Connection } from '../../src/recommend/ends/connection.ts';
import { recommend, type Recommendation, type RecommendOptions } from '../../src/recommend/recommend.ts';
import { formatPorts } from '../../src/report/text/port-text.ts';

export function recommendFor(files: Readonly<Record<string, string>>, options: RecommendOptions = {}): Recommendation {
  const { cluster, written } = readManifests(Object.entries(files).map(([name, text]) => sourceFromText(name, text)), { keepsWritten: true });
  return recommend(cluster, written, options);
}

/** `shop/web → data/db TCP 5432`, without those to the DNS. */
export function opened(connections: readonly Connection[]): string[] {
  return connections.filter(({ target }) => endName(target) !== 'DNS').map(({ source, target, ports }) => `${endName(source)} → ${endName(target)} ${formatPorts(ports)}`);
}

export function codesOf({ findings }: Recommendation): string[] {
  return findings.map(({ code }) => code);
}
