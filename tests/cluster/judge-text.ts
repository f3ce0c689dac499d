// What a real API server says of the text of a policy, beside what reading says.
import { hasErrors } from '../../src/base/finding.ts';
import type { Connection } from '../../src/kube/kube-config.ts';
import { readManifests, sourceFromText } from '../../src/read/read.ts';
import { refusalOf } from './write-object.ts';

export const NETWORK_POLICY: { readonly apiVersion: string; readonly kind: string } = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };

export interface Judged {
  readonly server: 'accepted' | 'refused';
  readonly read: 'accepted' | 'refused';
  /** Codes of what reading says. */
  readonly codes: readonly string[];
  /** What both say, for whoever looks into a difference. */
  readonly why: string;
}

export async function judge(connection: Connection, type: { readonly apiVersion: string; readonly kind: string }, text: string, namespace = 'default'): Promise<Judged> {
  const refusal = await refusalOf(connection, { ...type, metadata: { name: 'web', namespace } }, text);
  const { findings } = readManifests([sourceFromText('policy.yaml', text)]);
  const errors = findings.filter(({ severity }) => severity === 'error').map(({ code, message }) => `${code}: ${message}`);
  return { server: refusal === undefined ? 'accepted' : 'refused', read: hasErrors(findings) ? 'refused' : 'accepted', codes: findings.map(({ code }) => code), why: `server: ${refusal ?? 'accepts'}\n    read:   ${errors.join('; ') || 'accepts'}` };
}
