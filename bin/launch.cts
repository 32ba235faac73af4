#!/usr/bin/env node
/**
 * Starts bakeserv. The size of libuv's thread pool is read once, at its first use, and loading an ES module already
 * uses it: so it is set here, before one is loaded. Ten database connections at most (five for each of two files, see
 * lib/storage/sqlite/engine/database.ts), plus six for files and name look-ups.
 */
const given = process.env.UV_THREADPOOL_SIZE;
process.env.UV_THREADPOOL_SIZE ??= '16';
// The first use. Then the variable is removed: a command started by `bakeserv run` must not inherit it.
process.getBuiltinModule('node:fs').access('/', () => {});
if (given === undefined) delete process.env.UV_THREADPOOL_SIZE;
// V8 lets a busy heap grow to four times what lives in it: with a full cache to 200 MB, of which 150 were garbage.
process.getBuiltinModule('node:v8').setFlagsFromString('--heap-growing-percent=20');
// By default, Node would open a debugger port on this signal, which gives full control of the process.
process.on('SIGUSR1', () => {});
void import('./bakeserv.ts');
