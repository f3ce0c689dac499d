// Reads a text as every other verb would, to know whether it can be understood.
import type { Finding } from '../base/finding.ts';
import type { NetworkPolicy } from '../model/network-policy.ts';
import { readManifests, sourceFromText } from '../read/read.ts';

export interface TextReading {
  readonly text: string;
  readonly policies: readonly NetworkPolicy[];
  readonly findings: readonly Finding[];
}

export function readText(file: string, text: string): TextReading {
  const { cluster, findings } = readManifests([sourceFromText(file, text)]);
  return { text, policies: cluster.policies, findings };
}
