import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * For the `skip` of a test: false where it can run, and elsewhere what it needs. In CI no test may pass by not running:
 * there the file fails, and says how to get what is missing.
 */
function unlessIn(environment: NodeJS.ProcessEnv, missing: string | false, remedy: string): string | false {
  if (!missing || !environment.CI) return missing;
  throw new Error(`${missing}, and in CI no test may skip itself: ${remedy}`);
}

/** Whether system calls of a server can be watched, or made to fail. */
export function cannotTrace(environment = process.env): string | false {
  const tried = spawnSync('strace', ['-qq', '-f', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true']);
  const missing = tried.status !== 0 && 'needs strace, and the right to trace processes';
  const remedy = 'apt-get install strace; in a container, --cap-add SYS_PTRACE';
  return unlessIn(environment, missing, remedy);
}

/** Whether a file system can be mounted. */
export function cannotMount(environment = process.env): string | false {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-mount-'));
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'bakeserv-test', folder], { encoding: 'utf8' });
  if (tried.status === 0) spawnSync('umount', [folder]);
  fs.rmdirSync(folder);
  const missing = tried.status !== 0 && 'needs the right to mount';
  const remedy =
    'run it as root, as `unshare --mount --map-root-user npm test` does; in a container, --cap-add SYS_ADMIN';
  return unlessIn(environment, missing, remedy);
}

/** Whether /proc tells of processes. */
export function noProc(environment = process.env): string | false {
  return unlessIn(environment, process.platform !== 'linux' && 'needs /proc', 'run the tests on Linux');
}

/** Whether systemd's program for messages of services is there, and a receiver for them can be compiled. */
export function cannotNotify(environment = process.env): string | false {
  const has = (program: string) => spawnSync(program, ['--version']).status === 0;
  const missing = has('systemd-notify') && has('cc') ? false : 'needs systemd-notify and a C compiler';
  return unlessIn(environment, missing, 'apt-get install systemd gcc libc6-dev');
}

/** Whether a filter of system calls can be compiled and put in force. */
export function cannotFilter(environment = process.env): string | false {
  const tried = spawnSync('cc', ['--version']);
  const missing = process.platform !== 'linux' || tried.status !== 0 ? 'needs Linux and a C compiler' : false;
  return unlessIn(environment, missing, 'apt-get install gcc libc6-dev linux-libc-dev');
}

/** Where Debian's libnginx-mod-stream puts its module. */
export const NGINX_STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Whether there are proxies to put in front of a server. */
export function cannotProxy(environment = process.env): string | false {
  const runs = (program: string) => spawnSync(program, ['-v']).status === 0;
  const found = runs('nginx') && runs('haproxy') && fs.existsSync(NGINX_STREAM_MODULE);
  const missing = !found && 'needs nginx with its stream module, and haproxy';
  return unlessIn(environment, missing, 'apt-get install nginx libnginx-mod-stream haproxy');
}

/** Whether there is a pooler to put in front of PostgreSQL. */
export function noPooler(environment = process.env): string | false {
  const missing = spawnSync('pgbouncer', ['--version']).status !== 0 && 'needs pgbouncer';
  return unlessIn(environment, missing, 'apt-get install pgbouncer');
}

/** Debian's Chromium, which the tests of the page drive. */
export const CHROMIUM = '/usr/bin/chromium';

/** Whether there is a browser to look at the page with. */
export function noBrowser(environment = process.env, browser = CHROMIUM): string | false {
  const missing = !fs.existsSync(browser) && `needs Chromium as ${browser}`;
  return unlessIn(environment, missing, 'apt-get install chromium fonts-dejavu-core');
}

/** Whether alert rules can be checked as Prometheus reads them. */
export function noPromtool(environment = process.env): string | false {
  const missing = spawnSync('promtool', ['--version']).status !== 0 && 'needs promtool';
  return unlessIn(environment, missing, 'apt-get install prometheus');
}
