/** Which files in dist/bin/parts the programs are loaded from: a start loads few, and in them only what it needs. */
import fs from 'node:fs';
import path from 'node:path';
import { importsOf } from './imports.ts';

/** What is loaded before a command is known: all that help and version need. */
const PROGRAMS = ['bin/bakeserv.ts', 'bin/bakeserv-hashclient.ts', 'bin/bakeserv-prclient.ts'];
const SERVE = 'lib/cli/commands/serve.ts';
/** Whoever loads this is a server, or works on the databases of one. */
const SERVER = 'lib/server.ts';
/** Whoever loads this loads SQLite, of which most commands have no need. */
const SQLITE = 'lib/storage/sqlite/engine/binding.ts';

/**
 * What programs start with; what a server and commands that talk to one load; what a server and commands that read
 * database files load; what else a server does. Each imports those before it at most: no part waits for another in a circle.
 */
export const PARTS = ['program', 'shared', 'storage', 'server'] as const;

/** The part that a file of ours belongs to; none where the bundler is free: what only one program or command loads. */
export type PartOf = (file: string) => (typeof PARTS)[number] | null;

/** @param root the folder that bin/ and lib/ are in */
export function programParts(root: string): PartOf {
  const { loadedWith, calledIn } = reader(root);
  const programs = PROGRAMS.map((file) => loadedWith(file));
  const server = loadedWith(SERVE);
  const beside = new Set<string>();
  const commands = new Set(programs.flatMap((files) => calledIn(files)));
  // A set goes on to what is added meanwhile.
  for (const command of commands) {
    const files = loadedWith(command);
    if (files.has(SERVER)) continue;
    for (const file of files) beside.add(file);
    for (const file of calledIn(files)) commands.add(file);
  }
  return (file) => {
    const starts = programs.filter((files) => files.has(file)).length;
    if (starts > 1 || (starts === 1 && (server.has(file) || beside.has(file)))) return 'program';
    if (!server.has(file) || file === SERVE) return null;
    if (!beside.has(file)) return 'server';
    return loadedWith(file).has(SQLITE) ? 'storage' : 'shared';
  };
}

/** Follows the imports of our files, each of which is read once. */
function reader(root: string) {
  const files = new Map<string, { readonly loaded: readonly string[]; readonly called: readonly string[] }>();
  const importsIn = (file: string) => {
    const known = files.get(file);
    if (known) return known;
    const own = importsOf(file, fs.readFileSync(path.join(root, file), 'utf8')).filter(
      ({ target, typeOnly }) => !typeOnly && /^(bin|lib)\//.test(target),
    );
    const targets = (isCall: boolean) => own.filter((each) => each.isCall === isCall).map(({ target }) => target);
    const found = { loaded: targets(false), called: targets(true) };
    files.set(file, found);
    return found;
  };
  return {
    /** A file and all that is loaded with it. */
    loadedWith(file: string): ReadonlySet<string> {
      const all = new Set([file]);
      for (const each of all) for (const target of importsIn(each).loaded) all.add(target);
      return all;
    },
    /** What these load later, by a call. */
    calledIn: (among: ReadonlySet<string>): string[] => [...among].flatMap((file) => importsIn(file).called),
  };
}
