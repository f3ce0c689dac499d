// Where the process starts: the words of the command line become a command, and its answer an exit status.
import { runCommandLine } from './cli.ts';

process.exitCode = await runCommandLine(process.argv.slice(2));
