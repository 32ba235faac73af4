#!/usr/bin/env node
import { clientReporter } from '../lib/cli/client/reporter.ts';
import { HASH_CLIENT } from '../lib/cli/hashclient/program.ts';
import { exit, runProgram } from '../lib/cli/main.ts';

const words = process.argv.slice(2);
await exit(await runProgram(HASH_CLIENT, words, clientReporter(HASH_CLIENT.name, words)));
