// The formats of an answer for programs, which every verb that has the one has both of.

export const DATA_FORMATS = ['json', 'yaml'] as const;

/** The answer's JSON in the format; what writes YAML is loaded only for it. */
export async function dataAnswer(format: (typeof DATA_FORMATS)[number], json: Iterable<string>): Promise<Iterable<string>> {
  if (format === 'json') return json;
  const { yamlOfJson } = await import('../report/text/json-yaml.ts');
  return [yamlOfJson([...json].join(''))];
}
