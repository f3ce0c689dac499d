// One object as it was read, with its name settled.
import type { Path } from '../../model/origin.ts';
import type { LooseMap } from '../text/yaml-value.ts';

/** An object with its place and its name. */
export interface NamedObject {
  readonly map: LooseMap;
  readonly path: Path;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}
