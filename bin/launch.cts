#!/usr/bin/env node
/**
 * Starts bakeserv. The size of libuv's thread pool is read once, at its first use, and loading an ES module already
 * uses it: so it is set here, before one is loaded. Ten database connections at most (five for each of two files, see
 * lib/storage/sqlite/database.ts), and six for files and names (reliability.md section 5).
 */
process.env.UV_THREADPOOL_SIZE ??= '16';
// V8 lets a busy heap grow to four times what lives in it: with a full cache to 200 MB, of which 150 were garbage.
process.getBuiltinModule('node:v8').setFlagsFromString('--heap-growing-percent=20');
void import('./bakeserv.ts');
