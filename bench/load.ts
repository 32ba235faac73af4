/**
 * The load generator as a program, with the command line and the output of the C one:
 * `node --import tsx bench/load.ts ADDR MODE [-c CONNS] [-d DEPTH] [-n REQUESTS] [-k KEYS] [-o OFFSET] [-s SALT] [-t SECONDS] [-1] [-u]`
 * It ends with status 1 when an answer is not the one to its own request; -u is for servers that only echo.
 */
import { parseArgs } from 'node:util';
import { runLoad } from './generator.ts';
import { MODES } from './requests.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: 'string', short: 'c', default: '1' },
    depth: { type: 'string', short: 'd', default: '1' },
    requests: { type: 'string', short: 'n', default: '10000' },
    keys: { type: 'string', short: 'k', default: '10000' },
    offset: { type: 'string', short: 'o', default: '0' },
    salt: { type: 'string', short: 's', default: '0' },
    seconds: { type: 'string', short: 't', default: '120' },
    unchecked: { type: 'boolean', short: 'u', default: false },
    'one-shot': { type: 'boolean', short: '1', default: false },
  },
});
const [address, name] = positionals;
const mode = MODES.find((each) => each === name);
if (!address || !mode) {
  process.stderr.write(
    `usage: load.ts ADDR ${MODES.join('|')} [-c n] [-d n] [-n n] [-k n] [-o n] [-s n] [-t s] [-1] [-u]\n`,
  );
  process.exit(2);
}
try {
  const result = await runLoad({
    address,
    mode,
    connections: Number(values.connections),
    depth: values['one-shot'] ? 1 : Number(values.depth),
    requests: Number(values.requests),
    keys: Math.min(Number(values.keys), Number(values.requests)),
    offset: Number(values.offset),
    salt: Number(values.salt),
    oneShot: values['one-shot'],
    unchecked: values.unchecked,
    timeBoundMs: Number(values.seconds) * 1000,
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.wrong > 0) {
    process.stderr.write(`load: ${result.wrong} of ${result.requests} answers belong to other requests\n`);
    process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`load: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
