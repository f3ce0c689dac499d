// `bulkhead.yaml`: what it may say, what is refused with its line and near miss, and what it does to findings.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { settingsSchema } from '../../scripts/settings-schema.ts';
import type { Finding } from '../../src/base/finding.ts';
import { WordError } from '../../src/base/word-error.ts';
import { applySettings, NO_SETTINGS, readSettings, SETTINGS_KEYS } from '../../src/lint/settings/settings.ts';
import { cloneRoot } from '../needs.ts';

test('all that it may say', () => {
  const { inputs, engine, severities, suppressions } = readSettings('b.yaml', 'inputs: [a, b/c]\nengine: calico\nseverities:\n  no-default-deny: error\n  engine-note: off\nsuppressions:\n- code: selects-no-pods\n  reason: known\n  object: NetworkPolicy/shop/*\n');
  assert.deepEqual({ inputs, engine, severities: [...severities] }, { inputs: ['a', 'b/c'], engine: 'calico', severities: [['no-default-deny', 'error'], ['engine-note', 'off']] });
  assert.deepEqual(suppressions.map(({ code, reason, file, object, place }) => ({ code, reason, file, object, line: place.range.start.line })), [{ code: 'selects-no-pods', reason: 'known', file: undefined, object: 'NetworkPolicy/shop/*', line: 7 }]);
  assert.deepEqual(readSettings('b.yaml', '# nothing yet\n'), NO_SETTINGS);
});

/** Wanted message, wanted help, text. */
const REFUSED: readonly (readonly [message: RegExp, help: RegExp, source: string])[] = [
  [/^b\.yaml:2: `severites` is no key/, /`severities`/, 'engine: cilium\nseverites: {}\n'],
  [/^b\.yaml:2: `no-default-den` is no code/, /`no-default-deny`/, 'severities:\n  no-default-den: off\n'],
  [/^b\.yaml:1: `of` is no severity/, /`off`/, 'severities: { no-default-deny: of }\n'],
  [/^b\.yaml:3: `reson` is no key/, /`reason`/, 'suppressions:\n- code: selects-no-pods\n  reson: x\n  reason: y\n'],
  [/^b\.yaml:2: `reason` is missing/, /`code` and `reason`/, 'suppressions:\n- code: selects-no-pods\n'],
  [/^b\.yaml:1: `inputs` must be Array/, /^undefined$/, 'inputs: x\n'],
  [/^b\.yaml:1: the file is no map/, /inputs, engine/, '- x\n'],
  [/^b\.yaml:2: Flow sequence/, /^undefined$/, 'inputs: [\n'],
  [/^b\.yaml:1: .*alias/, /^undefined$/, `inputs: &a [x]\nengine: &b [${'*a,'.repeat(200)}]\nseverities: [${'*b,'.repeat(200)}]\n`],
];

for (const [message, help, source] of REFUSED) {
  test(`refused: ${JSON.stringify(source.slice(0, 60))}`, () => {
    assert.throws(() => readSettings('b.yaml', source), (error) => error instanceof WordError && message.test(error.message) && help.test(String(error.help)));
  });
}

const found = (code: Finding['code'], severity: Finding['severity'], name: string): Finding => ({ code, severity, message: name, file: `policies/${name}.yaml`, object: { kind: 'NetworkPolicy', namespace: 'shop', name } });

test('severities and suppressions are in force, but over errors', () => {
  const settings = readSettings('b.yaml', 'severities: { no-default-deny: error, engine-note: off, wrong-type: off }\nsuppressions:\n- { code: selects-no-pods, reason: known, file: "policies/a*.yaml" }\n- { code: wrong-type, reason: known }\n');
  const findings = [found('no-default-deny', 'info', 'x'), found('engine-note', 'info', 'x'), found('wrong-type', 'error', 'x'), found('selects-no-pods', 'warning', 'ab'), found('selects-no-pods', 'warning', 'b')];
  assert.deepEqual(applySettings(findings, settings).map(({ code, severity, message }) => `${severity} ${code} ${message}`), [
    'error no-default-deny x',
    'error wrong-type x',
    'warning selects-no-pods b',
    'warning suppression-unused nothing is found as `wrong-type` where this entry looks, so there is nothing to ignore',
  ]);
});

test('an object is named by kind, namespace and name', () => {
  const left = (object: string): number => applySettings([found('selects-no-pods', 'warning', 'a')], readSettings('b.yaml', `suppressions: [{ code: selects-no-pods, reason: known, object: "${object}" }]`)).filter(({ code }) => code === 'selects-no-pods').length;
  assert.deepEqual(['NetworkPolicy/shop/a', 'NetworkPolicy/*/a', '**/a', '*/a', 'NetworkPolicy/shop', 'NetworkPolicy/shop/.'].map(left), [0, 0, 0, 1, 1, 1]);
});

test('the JSON schema has the same keys, codes and severities', () => {
  const written = readFileSync(join(cloneRoot, 'docs/reference/bulkhead.schema.json'), 'utf8');
  assert.equal(written, settingsSchema(), '`npm run docs` rewrites it');
  const { properties } = JSON.parse(written) as { readonly properties: { readonly suppressions: { readonly items: { readonly properties: object } } } };
  assert.deepEqual(Object.keys(properties), SETTINGS_KEYS.settings);
  assert.deepEqual(Object.keys(properties.suppressions.items.properties), SETTINGS_KEYS.suppression);
});
