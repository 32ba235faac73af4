#!/usr/bin/env node
import { clientReporter } from '../lib/cli/client/reporter.ts';
import { exit, runProgram } from '../lib/cli/main.ts';
import { PR_CLIENT } from '../lib/cli/prclient/program.ts';

const words = process.argv.slice(2);
await exit(await runProgram(PR_CLIENT, words, clientReporter(PR_CLIENT.name, words)));
