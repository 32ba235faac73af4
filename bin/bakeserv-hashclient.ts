#!/usr/bin/env node
import { main } from '../lib/cli/client/run.ts';
import { HASH_CLIENT } from '../lib/cli/hashclient/program.ts';

await main(HASH_CLIENT, process.argv.slice(2));
