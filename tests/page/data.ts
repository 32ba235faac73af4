import assert from 'node:assert/strict';
import fs from 'node:fs';
import { hash, METHOD, type ServerProcess } from '../e2e/helpers.ts';
import { Visitor } from '../wire/page-helpers.ts';

/** Names and tokens of the users of a scene: `root` may do all, `dora` is `@db-admin`, `anna` may read. */
export type Users = Readonly<Record<string, string>>;

/** What somebody reports who means no good. */
export const HOSTILE = {
  script: '<script>alert(1)</script>',
  image: '"><img src=x onerror=alert(2)>',
  /** Right to left, and what turns the order of letters round. */
  bidi: 'שלום\u202Egnp.exe',
  control: 'bell\u0007 escape\u001b[31m',
} as const;

const SIGINFO = new URL('../siginfo/', import.meta.url);

interface SiginfoIndex {
  readonly method: string;
  readonly PN: string;
  readonly PV: string;
  readonly PR: string;
  readonly rows: readonly { readonly task: string; readonly outhash: string; readonly file: string }[];
}

/** Two builds of one recipe that are not the same, as OpenEmbedded has written them down. */
export const BUILDS: SiginfoIndex = JSON.parse(fs.readFileSync(new URL('index.json', SIGINFO), 'utf8'));
/** The taskhash of a task of these builds, which both have. */
export const taskhashOf = (task: string) => hash(`${BUILDS.PN}:${task}`);

/** What a farm builds, and with how many different outputs. */
const RECIPES: readonly (readonly [PN: string, PV: string, task: string, outputs: number])[] = [
  ['linux-yocto', '6.6.52+git', 'deploy', 2],
  ['openssl', '3.3.2', 'package', 3],
  ['glibc', '2.40+git', 'populate_sysroot', 1],
  ['gcc-runtime', '14.2.0', 'package', 1],
  ['python3', '3.12.6', 'compile', 2],
  ['systemd', '256.6', 'package', 1],
  ['util-linux', '2.40.2', 'populate_sysroot', 1],
  ['curl', '8.10.1', 'package', 1],
];

/** Reports, PR values, users and a job: what a farm has after a while. */
export async function fill(server: ServerProcess, origin: string): Promise<Users> {
  const client = await server.hash();
  const report = (row: Record<string, string>) => client.invoke('report', { method: METHOD, ...row });
  for (const [i, [PN, PV, task, outputs]] of RECIPES.entries())
    for (let build = 0; build < 3; build++) {
      const taskhash = hash(outputs > 1 ? PN : `${PN} ${build}`);
      const outhash = hash(`output of ${PN} ${build % outputs}`);
      await report({
        taskhash,
        outhash,
        unihash: taskhash,
        PN,
        PV,
        PR: 'r0',
        task,
        owner: `builder-${(i + build) % 4}`,
      });
    }
  const { PN, PV, PR } = BUILDS;
  for (const { task, outhash, file } of BUILDS.rows) {
    const taskhash = taskhashOf(task);
    const outhash_siginfo = fs.readFileSync(new URL(file, SIGINFO), 'utf8');
    await report({ taskhash, outhash, unihash: taskhash, PN, PV, PR, task, owner: 'builder', outhash_siginfo });
  }
  for (let i = 0; i < 40; i++) {
    const [taskhash, output] = [hash(`busybox ${i}`), hash(`same ${Math.floor(i / 4)}`)];
    const names = { PN: 'busybox', PV: '1.36', PR: 'r0', task: i % 2 ? 'compile' : 'package' };
    await report({ taskhash, outhash: output, unihash: taskhash, ...names });
  }
  for (const [i, PN] of Object.values(HOSTILE).entries()) {
    const taskhash = hash(`hostile ${i}`);
    const row = { taskhash, outhash: hash(`output ${i}`), unihash: taskhash, PN, PV: PN, PR: 'r0', task: 'compile' };
    await report({ ...row, outhash_siginfo: `${PN}\n${PN}` });
  }
  const prs = await server.pr();
  for (const [version, count] of [
    ['zlib-1.3-r0', 12],
    ['busybox-1.36-r0', 3],
    ['linux-yocto-6.6.52+git-r0', 5],
    ['linux-firmware-20240909-r0', 2],
    ['linux-libc-headers-6.10-r0', 1],
    [`${HOSTILE.script}-1-r0`, 2],
  ] as const)
    for (let i = 0; i < count; i++)
      await prs.invoke('get-pr', { version, pkgarch: 'core2-64', checksum: hash(`${version} ${i}`), history: false });
  return makeUsers(origin);
}

async function makeUsers(origin: string): Promise<Users> {
  const root = new Visitor(origin);
  await root.signIn('root', 'secret');
  const users: Record<string, string> = { root: 'secret' };
  for (const [username, permissions] of [
    ['anna', ['@read']],
    ['dora', ['@read', '@db-admin']],
  ] as const) {
    const { status, body } = await root.ask('POST', '/users', { username, permissions });
    assert.equal(status, 201, JSON.stringify(body));
    users[username] = body.token;
  }
  const job = await root.ask('POST', '/jobs', { kind: 'clean-unused', parameters: { max_age_seconds: 86_400 } });
  assert.equal(job.status, 202, JSON.stringify(job.body));
  await root.ask('DELETE', '/session');
  return users;
}

/** A build that looks up what is known, and some tasks that nobody reports. */
export async function build(server: ServerProcess): Promise<void> {
  const client = await server.hash();
  const known = Array.from({ length: 400 }, (_, i) => `busybox ${i % 40}`);
  const unknown = Array.from({ length: 40 }, (_, i) => `never reported ${(i % 4) * (i % 3)}`);
  await Promise.all(
    [...known, ...unknown].map((name) => client.invoke('get', { method: METHOD, taskhash: hash(name) })),
  );
}
