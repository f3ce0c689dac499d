// Words become calls: each verb is a straight line from inputs to an answer, in a file of its own that only its verb loads.
import { Command, CommanderError } from 'commander';
import { WordError } from '../base/word-error.ts';
import { findingText } from '../report/findings/finding-text.ts';
import { isFailure, ReaderGone, UnreadableInput } from '../terminal/failures.ts';
import { writeNote } from '../terminal/output.ts';
import { packageVersion } from './package-version.ts';
import { terminalOf } from '../terminal/terminal.ts';

/** What every verb's file exports: declares arguments and options on its command. */
export type DefineVerb = (command: Command) => void;

interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<DefineVerb>;
}

const VERBS: readonly Verb[] = [
  { name: 'demo', summary: 'the whole loop on this host: repair, reach, run as namespaces, enforce, probe', load: async () => (await import('./lab/demo-verb.ts')).defineDemo },
  { name: 'doctor', summary: 'whether policies are enforced here, on which nodes, by whom; how to switch it on', load: async () => (await import('./check/doctor-verb.ts')).defineDoctor },
  { name: 'lint', summary: 'what is wrong or weak in manifests; mends it with --fix', load: async () => (await import('./define/lint-verb.ts')).defineLint },
  { name: 'new', summary: 'a policy from a named pattern, with the names of your cluster', load: async () => (await import('./define/new-verb.ts')).defineNew },
  { name: 'reach', summary: 'who can reach whom, on what', load: async () => (await import('./ask/reach-verb.ts')).defineReach },
  { name: 'explain', summary: 'allowed or not between two ends, and by which rule at which line', load: async () => (await import('./ask/explain-verb.ts')).defineExplain },
  { name: 'diff', summary: 'connections gained and lost between two sets of manifests', load: async () => (await import('./ask/diff-verb.ts')).defineDiff },
  { name: 'prove', summary: 'assertions that must hold, with a counterexample where one does not', load: async () => (await import('./ask/prove-verb.ts')).defineProve },
  { name: 'test', summary: 'expectations in files, held against the computed answer, the lab or a cluster', load: async () => (await import('./test/test-verb.ts')).defineTest },
  { name: 'impact', summary: 'what a compromised pod reaches, directly and by hops', load: async () => (await import('./ask/impact-verb.ts')).defineImpact },
  { name: 'flows', summary: 'what went over the wire, and by which rule', load: async () => (await import('./flows/flows-verb.ts')).defineFlows },
  { name: 'denied', summary: 'what was refused, by which rule, and which came nearest', load: async () => (await import('./flows/flows-verb.ts')).defineDenied },
  { name: 'replay', summary: 'what proposed policies would have refused of the recorded flows', load: async () => (await import('./flows/replay-verb.ts')).defineReplay },
  { name: 'drift', summary: 'what is amiss now and was not then: new denials, failing tests, what nothing protects or needs', load: async () => (await import('./flows/drift-verb.ts')).defineDrift },
  { name: 'recommend', summary: 'least-privilege policies from what manifests show of who talks to whom', load: async () => (await import('./define/recommend-verb.ts')).defineRecommend },
  { name: 'report', summary: 'isolation, exposure and compliance, as one page that stands alone or as data', load: async () => (await import('./ask/report-verb.ts')).defineReport },
  { name: 'snapshot', summary: 'what decides about traffic in a cluster, kept in a file', load: async () => (await import('./check/snapshot-verb.ts')).defineSnapshot },
  { name: 'convert', summary: 'policies of the old cluster-wide kinds as ClusterNetworkPolicies with the same answers', load: async () => (await import('./define/convert-verb.ts')).defineConvert },
  { name: 'agent', summary: 'the policies of a cluster in the kernel of this node', load: async () => (await import('./run/agent-verb.ts')).defineAgent },
  { name: 'serve', summary: 'the flows of all nodes, kept in one file and asked by whoever the cluster lets', load: async () => (await import('./run/serve-verb.ts')).defineServe },
  { name: 'status', summary: 'which policy is in force on which node of a cluster since when', load: async () => (await import('./check/status-verb.ts')).defineStatus },
  { name: 'apply', summary: 'policies into a cluster as one release: judged, asked about, written in a safe order, kept', load: async () => (await import('./apply/apply-verb.ts')).defineApply },
  { name: 'rollback', summary: 'a release as it was before', load: async () => (await import('./apply/rollback-verb.ts')).defineRollback },
  { name: 'history', summary: 'which releases were written into a cluster, and what became of them', load: async () => (await import('./apply/history-verb.ts')).defineHistory },
  { name: 'promote', summary: 'a staged policy becomes the real one', load: async () => (await import('./apply/promote-verb.ts')).definePromote },
  { name: 'bundle', summary: 'what somebody who helps needs to know of a node and its cluster, without secrets', load: async () => (await import('./check/bundle-verb.ts')).defineBundle },
  { name: 'completion', summary: 'words and names that a shell completes on Tab', load: async () => (await import('./completion/completion-verb.ts')).defineCompletion },
  { name: 'lab', summary: 'manifests as network namespaces on this host, enforced by the kernel', load: async () => (await import('./lab/lab-verb.ts')).defineLab },
];

const EPILOG = `
Exit status:
  0  yes, or nothing to say
  1  the answer is no
  2  the input or the words could not be understood
  3  the world failed: no cluster, no kernel enforcement, no right to it

Start with:
  bulkhead demo                              the shipped example
  bulkhead lint --diff examples/shop         what is broken in it
  bulkhead reach -f manifests -o matrix      who reaches whom in yours`;

/** Gives the exit status; never throws for anything that a user, a file or the kernel can do. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  // A reader that goes away is dealt with where the write fails; without a listener the event would end the process.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  try {
    const program = await buildProgram(words);
    await program.parseAsync([...words], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    return reportFailure(error);
  }
}

async function buildProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('bulkhead')
    .description('Cuts a Kubernetes cluster into watertight compartments with network policies, and shows that the walls hold.')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    // What stands behind a verb is its own, and behind a verb of a verb, too.
    .enablePositionalOptions()
    .addHelpText('after', EPILOG);
  configure(program);
  for (const verb of VERBS) {
    const command = program.command(verb.name).summary(verb.summary).description(sentence(verb.summary)).helpOption('-h, --help', 'print this help');
    configure(command);
    if (words.includes(verb.name)) (await verb.load())(command);
  }
  return program;
}

function configure(command: Command): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({ outputError: (text, write) => write(`bulkhead: ${text.replace(/^error: /, '')}`) });
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
}

async function reportFailure(error: unknown): Promise<number> {
  if (error instanceof ReaderGone) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UnreadableInput) return note(2, findingText(error.finding, { ...terminalOf(process.stderr), lineOf: () => undefined }).trimEnd());
  if (error instanceof WordError) return note(2, error.help === undefined ? error.message : `${error.message}\n  help: ${error.help}`);
  if (isFailure(error)) return note(3, error.message);
  return note(3, `this is a bug in bulkhead, please report it:\n${error instanceof Error ? error.stack : String(error)}`);
}

async function note(status: number, text: string): Promise<number> {
  await writeNote(`bulkhead: ${text}\n`).catch(() => undefined);
  return status;
}
