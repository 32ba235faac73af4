#!/usr/bin/env node
import { main } from '../lib/cli/client/run.ts';
import { PR_CLIENT } from '../lib/cli/prclient/program.ts';

await main(PR_CLIENT, process.argv.slice(2));
