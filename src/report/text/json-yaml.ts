// An answer in JSON as YAML: the same object, in the block style.
import { stringify } from 'yaml';

/** Quoted for readers of YAML 1.1 as well, to which a bare `yes` is no text. */
export function yamlOfJson(json: string): string {
  return stringify(JSON.parse(json), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}
