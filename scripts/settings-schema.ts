// The JSON schema of `bulkhead.yaml`, for editors, from the lists that the reading of it takes.
import { FINDING_CODES } from '../src/base/finding-code.ts';
import { SEVERITY_WORDS } from '../src/lint/settings/settings.ts';

const TEXT = { type: 'string', minLength: 1 };
const WORDS = { type: 'array', items: TEXT };
const CODE = { $ref: '#/$defs/code' };

export function settingsSchema(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'bulkhead.yaml',
    description: 'Settings of Bulkhead for a project: see docs/guide/lint.md.',
    type: 'object',
    additionalProperties: false,
    properties: {
      inputs: { description: 'Files and folders that are read where no file is named; relative to this file.', type: 'array', items: TEXT },
      engine: { description: 'What enforces the policies, as --engine takes it.', ...TEXT },
      severities: { description: 'By code; off is not shown. Errors stay errors.', type: 'object', propertyNames: CODE, additionalProperties: { enum: SEVERITY_WORDS } },
      suppressions: {
        description: 'Findings that are let be. All that an entry gives must fit; * stands for any signs but /, ** for any.',
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['code', 'reason'],
          properties: { code: CODE, reason: TEXT, file: TEXT, object: { description: 'Kind/namespace/name, or Kind/name of what has no namespace.', ...TEXT } },
        },
      },
      flows: { description: 'Files of recorded flows; an editor says beside a policy what of them it would refuse.', type: 'array', items: TEXT },
      scopes: {
        description: 'Pods that somebody answers for, by which report judges controls; words for ends as explain takes them.',
        type: 'array',
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['name', 'pods'],
          properties: {
            name: TEXT,
            pods: TEXT,
            from: { description: 'Who may open connections to them.', ...WORDS },
            to: { description: 'To whom they may open connections; missing, it is not asked.', ...WORDS },
            hops: { description: 'Chains through those in from count up to this many connections.', type: 'integer', minimum: 1 },
            frameworks: { description: 'Only for these.', ...WORDS },
          },
        },
      },
    },
    $defs: { code: { enum: FINDING_CODES } },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
