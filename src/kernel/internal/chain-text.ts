// A chain of the skeleton, and its nft text.

export interface Chain {
  readonly name: string;
  readonly rules: readonly string[];
  readonly remark?: string;
}

export function formatChain({ name, rules, remark }: Chain): string {
  const head = remark === undefined ? '' : `  # ${remark}\n`;
  return `${head}  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`;
}
