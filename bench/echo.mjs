// echo.mjs SOCKET: the ceiling a Node server has on this machine. It shakes hands as OEHASHEQUIV 1.1, enters get-stream,
// and answers every line with the same 64 characters without looking anything up. Compare with it in the same run.

import fs from 'node:fs';
import net from 'node:net';

const path = process.argv[2];
fs.rmSync(path, { force: true });
const answer = '0'.repeat(64) + '\n';
net
  .createServer((s) => {
    let state = 0,
      rest = '';
    s.setEncoding('latin1');
    s.on('error', () => {});
    s.on('data', (d) => {
      let out = '',
        at = 0;
      rest += d;
      for (let nl = rest.indexOf('\n'); nl >= 0; nl = rest.indexOf('\n', at)) {
        const empty = nl === at;
        at = nl + 1;
        if (state === 0) state = empty ? 1 : 0;
        else if (state === 1) {
          state = 2;
          out += '"ok"\n';
        } else out += answer;
      }
      rest = rest.slice(at);
      if (out) s.write(out, 'latin1');
    });
  })
  .listen(path);
