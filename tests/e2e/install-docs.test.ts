import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

const ROOT = path.join(import.meta.dirname, '../..');
const CHAPTER = fs.readFileSync(path.join(ROOT, 'docs/install.md'), 'utf8');
const { version, bin } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

/** The commands of the chapter, section by section. */
const SECTIONS = [...CHAPTER.matchAll(/^## (.*)\n([\s\S]*?)(?=^## |$(?![\s\S]))/gm)].map(([, title, text]) => ({
  title: title!,
  scripts: [...text!.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, script]) => script!),
}));

/**
 * npm without its registry: `ci` takes the modules that are here, and builds; `install --global` unpacks the tarball
 * and makes the links that npm makes of its package.json. `pack` is npm's own.
 */
const NPM = `#!/bin/sh
set -e
case "$1" in
  ci) ln -s '${ROOT}/node_modules' node_modules; ./node_modules/.bin/tsc -p tsconfig.json; exec ./node_modules/.bin/vite build web --logLevel warn ;;
  pack) exec "$REAL_NPM" pack --ignore-scripts --silent ;;
  install)
    [ "$2 $3" = "--global --prefix" ]
    to="$4/lib/node_modules/bakeserv"
    mkdir -p "$to" "$4/bin"
    tar -xzf "$5" -C "$to" --strip-components=1
    ln -s '${ROOT}/node_modules' "$to/node_modules"
${Object.entries(bin)
  .map(([name, file]) => `    chmod +x "$to/${file}"; ln -s "../lib/node_modules/bakeserv/${file}" "$4/bin/${name}"`)
  .join('\n')}
    ;;
  *) exit 1 ;;
esac
`;

describe('docs/install.md, followed word by word', () => {
  let folder: string;
  let site: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bakeserv-install-'));
    site = path.join(folder, 'site');
    fs.mkdirSync(path.join(folder, 'shims'));
    fs.mkdirSync(site);
    for (const [name, text] of [
      ['npm', NPM],
      [
        'npx',
        '#!/bin/sh\nprogram=$1; shift\nexec node "$(node -p "require(\\"./package.json\\").bin[\\"$program\\"]")" "$@"\n',
      ],
      ['systemctl', `#!/bin/sh\necho "$@" >> '${folder}/systemctl'\n`],
    ] as const) {
      fs.writeFileSync(path.join(folder, 'shims', name), text, { mode: 0o755 });
    }
    // As a clone of what is committed would be, with what is not yet.
    const files = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' }).stdout;
    const origin = path.join(folder, 'origin');
    fs.mkdirSync(origin);
    const packed = spawnSync('sh', ['-c', `tar -cf - -T - | tar -xf - -C '${origin}'`], { cwd: ROOT, input: files });
    assert.equal(packed.status, 0, String(packed.stderr));
    const git = (...args: string[]) => {
      const made = spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], { cwd: origin });
      assert.equal(made.status, 0, String(made.stderr));
    };
    git('init', '-q');
    git('add', '-A');
    git('commit', '-qm', 'all');
  });

  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** The chapter's places as folders of this test; its versions as the one that is here and the next. */
  const here = (script: string) =>
    script
      .replaceAll('ADDRESS', path.join(folder, 'origin'))
      .replaceAll(/(?<![\w.])\/(opt|etc|usr\/local)\//g, `${site}/$1/`)
      .replaceAll('0.1.0', version);

  const run = (script: string, cwd: string) => {
    const realNpm = spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim();
    const env = {
      PATH: `${folder}/shims:${site}/usr/local/bin:${path.dirname(process.execPath)}:${process.env.PATH}`,
      HOME: folder,
      REAL_NPM: realNpm,
    };
    const made = spawnSync('sh', ['-ec', here(script)], { cwd, env, encoding: 'utf8' });
    assert.equal(made.status, 0, `${script}\n${made.stdout}${made.stderr}`);
    return made.stdout;
  };
  const clone = () => path.join(folder, 'bakeserv');
  const scriptsOf = (title: string) => SECTIONS.find((section) => section.title === title)!.scripts;

  test('has four sections, all with commands', () => {
    assert.deepEqual(
      SECTIONS.map(({ title, scripts }) => [title, scripts.length]),
      [
        ['From a clone', 1],
        ['From a packed tarball into a prefix', 1],
        ['As a service', 1],
        ['Upgrade and rollback', 2],
      ],
    );
  });

  test('a clone is built and says its version', () => {
    const [script] = scriptsOf('From a clone');
    assert.match(run(script!, folder), new RegExp(`^${version}$`, 'm'));
    assert.ok(fs.existsSync(path.join(clone(), 'dist/bin/launch.cjs')));
  });

  test('a tarball is installed into a prefix, with these pages', () => {
    fs.mkdirSync(path.join(site, 'opt'));
    const [script] = scriptsOf('From a packed tarball into a prefix');
    assert.match(run(script!, clone()), new RegExp(`^${version}$`, 'm'));
    const installed = path.join(site, 'opt/bakeserv/lib/node_modules/bakeserv');
    assert.equal(fs.readFileSync(path.join(installed, 'docs/install.md'), 'utf8'), CHAPTER);
    for (const name of Object.keys(bin)) {
      const help = spawnSync(path.join(site, 'opt/bakeserv/bin', name), ['--help'], { encoding: 'utf8' });
      assert.match(help.stdout, /^Usage: /m);
    }
  });

  test('a service finds its commands and settings, which bakeserv accepts', () => {
    fs.mkdirSync(path.join(site, 'usr/local/bin'), { recursive: true });
    fs.mkdirSync(path.join(site, 'etc/systemd/system'), { recursive: true });
    const [script] = scriptsOf('As a service');
    assert.match(run(script!, site), /^ok: /m);
    assert.equal(
      fs.readFileSync(path.join(folder, 'systemctl'), 'utf8'),
      'daemon-reload\nenable --now bakeserv.service\n',
    );
    const unit = fs.readFileSync(path.join(site, 'etc/systemd/system/bakeserv.service'), 'utf8');
    const program = /^ExecStart=(\S+)/m.exec(unit)![1]!;
    assert.ok(fs.existsSync(path.join(site, 'usr/local/bin', program)), `${program} is where systemd looks`);
  });

  test('an upgrade goes beside the old version, and the way back is a link', () => {
    fs.copyFileSync(path.join(clone(), `bakeserv-${version}.tgz`), path.join(clone(), 'bakeserv-0.2.0.tgz'));
    const [upgrade, rollback] = scriptsOf('Upgrade and rollback');
    run(upgrade!, clone());
    assert.equal(fs.readlinkSync(path.join(site, 'opt/bakeserv')), 'bakeserv-0.2.0');
    run(rollback!, clone());
    assert.equal(fs.readlinkSync(path.join(site, 'opt/bakeserv')), `bakeserv-${version}`);
    assert.equal(run('bakeserv --version', site), `${version}\n`);
  });
});
