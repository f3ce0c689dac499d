// The reference of the command line as a page: every command's own help, so that the two cannot differ.

/** Commands with a help text of their own, as one types them. */
export const COMMANDS: readonly string[] = ['', 'demo', 'doctor', 'lint', 'new', 'reach', 'explain', 'diff', 'prove', 'test', 'impact', 'flows', 'flows import', 'denied', 'replay', 'drift', 'recommend', 'report', 'snapshot', 'convert', 'agent', 'serve', 'status', 'apply', 'rollback', 'history', 'promote', 'bundle', 'completion', 'lab', 'lab up', 'lab shell', 'lab probe'];

const HEAD = `# Command line

What each command says when it is asked with \`--help\`.
This page is written by \`npm run docs\` and held against the commands by a test.

Inputs, outputs and exit status are contracts: they change only with a major version.
`;

/** `help` gives what `bulkhead <words> --help` prints. */
export function cliReference(help: (words: string) => string): string {
  const sections = COMMANDS.map((words) => {
    const command = `bulkhead${words === '' ? '' : ` ${words}`}`;
    return `\n## ${command}\n\n\`\`\`text\n${help(`${words} --help`.trim())}\`\`\`\n`;
  });
  return HEAD + sections.join('');
}
