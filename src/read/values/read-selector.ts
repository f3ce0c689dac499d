// Reads label selectors, and refuses what the API server refuses (apimachinery `meta/v1/validation`).
import { nearestWordAnyCase } from '../../base/near-miss.ts';
import type { Path } from '../../model/origin.ts';
import type { Requirement, Selector } from '../../model/selector.ts';
import { checkFields } from './check-fields.ts';
import { lastName, readList, readMap, readText, REFUSED, shorten, type Loose } from './loose-value.ts';
import { checkLabelKey, checkLabelValue } from '../../model/names.ts';
import { refuse, remark, type ObjectContext } from './object-context.ts';
import { readLabelEntries } from './read-labels.ts';
import type { Value } from '../text/yaml-value.ts';

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
type Operator = (typeof OPERATORS)[number];

/** undefined: missing or null. REFUSED: what it selects cannot be known. */
export function readSelector(context: ObjectContext, value: Value | undefined, path: Path): Loose<Selector> {
  const map = readMap(context, value, path);
  if (map === undefined || map === REFUSED) return map;
  const isOpened = map['matchLabels'] === undefined && map['matchExpressions'] === undefined;
  if (checkFields(context, map, path, 'selector', isOpened ? 'the selector is left selecting everything' : 'one condition less narrows the selector')) return REFUSED;
  const before = context.refusals;
  const labels = readMatchLabels(context, map['matchLabels'], [...path, 'matchLabels']);
  const expressions = readExpressions(context, map['matchExpressions'], [...path, 'matchExpressions']);
  if (labels === REFUSED || expressions === REFUSED || context.refusals > before) return REFUSED;
  const selector = { requirements: labels.concat(expressions) };
  remarkContradiction(context, selector, path);
  return selector;
}

function readMatchLabels(context: ObjectContext, value: Value | undefined, path: Path): readonly Requirement[] | typeof REFUSED {
  const map = readMap(context, value, path);
  if (map === REFUSED) return REFUSED;
  if (map === undefined) return [];
  for (const [key, label] of Object.entries(map)) if (label === null) refuseNullLabel(context, key, [...path, key]);
  return [...readLabelEntries(context, map, path)].map(([key, label]) => ({ kind: 'In', key, values: [label] }));
}

/** For NetworkPolicy null is `""`. From a resource that is defined by a schema the server drops the entry, and so the condition. */
function refuseNullLabel(context: ObjectContext, key: string, path: Path): void {
  if (context.tierPart === undefined) return;
  refuse(context, path, 'invalid-label', `the label \`${shorten(key)}\` has no value: the server leaves the condition out, and the selector selects more`, { help: `write \`${key}: ""\` for the empty value`, isRequired: true });
}

function readExpressions(context: ObjectContext, value: Value | undefined, path: Path): readonly Requirement[] | typeof REFUSED {
  const list = readList(context, value, path);
  if (list === REFUSED) return REFUSED;
  const requirements: Requirement[] = [];
  for (const [index, item] of (list ?? []).entries()) {
    const requirement = readExpression(context, item, [...path, index]);
    if (requirement !== undefined) requirements.push(requirement);
  }
  return requirements;
}

function readExpression(context: ObjectContext, value: Value, path: Path): Requirement | undefined {
  const map = readMap(context, value, path);
  if (map === REFUSED) return undefined;
  checkFields(context, map ?? {}, path, 'expression', 'the condition may select more');
  const operator = readOperator(context, map?.['operator'], [...path, 'operator']);
  const key = readKey(context, map?.['key'], [...path, 'key']);
  const values = readValues(context, map?.['values'], [...path, 'values']);
  if (operator === undefined || key === undefined || values === undefined) return undefined;
  return combine(context, path, operator, key, values);
}

function combine(context: ObjectContext, path: Path, operator: Operator, key: string, values: readonly string[]): Requirement | undefined {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length > 0) return { kind: operator, key, values };
    refuse(context, [...path, 'values'], 'invalid-selector-values', `\`${operator}\` needs at least one value for \`${shorten(key)}\``, { help: `write \`operator: ${operator === 'In' ? 'Exists' : 'DoesNotExist'}\` if every value is meant` });
    return undefined;
  }
  if (values.length === 0) return { kind: operator, key };
  refuse(context, [...path, 'values'], 'invalid-selector-values', `\`${operator}\` takes no values`, { help: `write \`operator: ${operator === 'Exists' ? 'In' : 'NotIn'}\`, or take the values away` });
  return undefined;
}

function readOperator(context: ObjectContext, value: Value | undefined, path: Path): Operator | undefined {
  const text = readText(context, value, path);
  if (text === REFUSED) return undefined;
  const operator = OPERATORS.find((known) => known === text);
  if (operator !== undefined) return operator;
  const near = nearestWordAnyCase(text ?? '', OPERATORS);
  const message = text === undefined ? 'an expression needs an `operator`' : `\`${shorten(text)}\` is no selector operator: the four are In, NotIn, Exists, DoesNotExist`;
  refuse(context, path, 'invalid-operator', message, { isRequired: text === undefined, ...(near === undefined ? {} : { help: `did you mean \`${near}\`?`, replacement: near }) });
  return undefined;
}

function readKey(context: ObjectContext, value: Value | undefined, path: Path): string | undefined {
  const key = readText(context, value, path);
  if (key === REFUSED) return undefined;
  const wrong = checkLabelKey(key ?? '');
  if (wrong === undefined) return key;
  refuse(context, path, 'invalid-label', `the label key \`${shorten(key ?? '')}\` ${wrong}`, { isRequired: key === undefined });
  return undefined;
}

function readValues(context: ObjectContext, value: Value | undefined, path: Path): readonly string[] | undefined {
  const list = readList(context, value, path);
  if (list === REFUSED) return undefined;
  const values: string[] = [];
  for (const [index, item] of (list ?? []).entries()) {
    if (item === null && context.tierPart !== undefined) refuse(context, [...path, index], 'invalid-label', 'a value that is null is no text', { help: 'write `""` for the empty value', isRequired: true });
    const text = readText(context, item, [...path, index]);
    if (text === REFUSED) return undefined;
    const wrong = checkLabelValue(text ?? '');
    if (wrong !== undefined) {
      refuse(context, [...path, index], 'invalid-label', `the label value \`${shorten(text ?? '')}\` ${wrong}`);
      return undefined;
    }
    values.push(text ?? '');
  }
  return values;
}

/** The server accepts terms that no labels can meet together. */
function remarkContradiction(context: ObjectContext, selector: Selector, path: Path): void {
  const key = findContradiction(selector);
  if (key === undefined) return;
  remark(context, path, 'contradictory-selector', 'warning', `${lastName(path)} selects nothing: no object meets all that it asks of the label \`${key}\``, { help: 'take one of the conditions away' });
}

function findContradiction(selector: Selector): string | undefined {
  if (selector.requirements.length < 2) return undefined;
  const keys = new Set(selector.requirements.map(({ key }) => key));
  return [...keys].find((key) => !canMeet(selector.requirements.filter((requirement) => requirement.key === key)));
}

/** Whether some value, or the key's absence, meets all requirements on one key. */
function canMeet(requirements: readonly Requirement[]): boolean {
  if (!requirements.some(({ kind }) => kind === 'In' || kind === 'Exists')) return true;
  if (requirements.some(({ kind }) => kind === 'DoesNotExist')) return false;
  const lists = requirements.flatMap((requirement) => (requirement.kind === 'In' ? [requirement.values] : []));
  // Without `In` some value that no `NotIn` names is always left.
  if (lists.length === 0) return true;
  const refused = new Set(requirements.flatMap((requirement) => (requirement.kind === 'NotIn' ? requirement.values : [])));
  return lists[0]!.some((value) => !refused.has(value) && lists.every((list) => list.includes(value)));
}
