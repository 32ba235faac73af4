import { runProgram } from '../lib/cli/main.ts';
import { SERVER } from '../lib/cli/server-program.ts';

process.exitCode = await runProgram(SERVER, process.argv.slice(2));
