// What is known of a framework: the numbers and short names of its controls, where they are known from, and the statements that each rests on.
import * as v from 'valibot';
import cisAks from './frameworks/cis-aks.json' with { type: 'json' };
import cisEks from './frameworks/cis-eks.json' with { type: 'json' };
import cisGke from './frameworks/cis-gke.json' with { type: 'json' };
import cisKubernetes from './frameworks/cis-kubernetes.json' with { type: 'json' };
import nist from './frameworks/nist-800-53.json' with { type: 'json' };
import nsaCisa from './frameworks/nsa-cisa.json' with { type: 'json' };
import pciDss from './frameworks/pci-dss.json' with { type: 'json' };
import { SOURCE_SCHEMA, type Source } from '../doctor/knowledge.ts';
import { STATEMENT_IDS, type StatementId } from './statement-id.ts';

export interface Framework {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** Of clusters of this provider alone, as `doctor` names it; missing: of every cluster. */
  readonly provider?: string;
  readonly controls: readonly Control[];
  readonly sources: Readonly<Record<string, Source>>;
}

export interface Control {
  /** Where a framework has no numbers, the name of the section. */
  readonly number: string;
  /** In a few words; never the control's own text. */
  readonly name: string;
  /** All of them must hold. */
  readonly restsOn: readonly StatementId[];
  /** Of `sources`. */
  readonly source: string;
}

const text = v.pipe(v.string(), v.nonEmpty());
const schema: v.GenericSchema<unknown, Framework> = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/)),
  title: text,
  version: text,
  provider: v.exactOptional(text),
  controls: v.array(v.strictObject({ number: text, name: text, restsOn: v.pipe(v.array(v.picklist(STATEMENT_IDS)), v.minLength(1)), source: text })),
  sources: v.record(text, SOURCE_SCHEMA),
});

const FILES: readonly unknown[] = [cisKubernetes, cisEks, cisAks, cisGke, nsaCisa, nist, pciDss];

/** Throws where a file of ours is broken: a bug. */
export function loadFrameworks(): readonly Framework[] {
  return FILES.map((file) => v.parse(schema, file));
}
