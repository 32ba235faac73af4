import type { FileDifference } from '../api/diff.ts';

/** What commonly makes such files differ, and what to do about it. */
export interface Reason {
  readonly title: string;
  readonly advice: string;
}

interface Rule extends Reason {
  readonly path: RegExp;
}

const CONTENT: readonly Rule[] = [
  {
    path: /\.(gz|tgz|Z)$/,
    title: 'Compressed with the time in it',
    advice: 'gzip writes the time and the name of the file into its header: call it with -n.',
  },
  {
    path: /\.(a|lib)$/,
    title: 'An archive with times of its members',
    advice: 'ar notes times and owners unless it is called with D, as binutils built for deterministic archives does.',
  },
  {
    path: /\.(zip|jar|war|egg|whl)$/,
    title: 'A zip file with times of its members',
    advice: 'Give all members one time (SOURCE_DATE_EPOCH, or zip -X after touch), and a fixed order.',
  },
  {
    path: /\.py[co]$/,
    title: 'Compiled Python with the time of its source',
    advice: 'Compile with --invalidation-mode unchecked-hash, or with SOURCE_DATE_EPOCH set.',
  },
  {
    path: /\.(mo|gmo|po|pot)$/,
    title: 'A message catalogue',
    advice: 'It often has the date it was made (POT-Creation-Date), or an order that is not fixed.',
  },
  {
    path: /\.(h|hpp|pc|la|cmake|cfg|conf|mk|sh|py|pl)$|-config$/,
    title: 'Text made while building',
    advice: 'Look for the path of the build folder, a date, or the name of the host written into it.',
  },
  {
    path: /(build|version|release|compile)[-_.]?(info|id|date|time|host)|timestamp|\/\.?buildinfo/i,
    title: 'A note about the build itself',
    advice: 'It says when or where it was built: leave that out, or take SOURCE_DATE_EPOCH for the date.',
  },
  {
    path: /\.(html?|pdf|ps|xml|json|txt|md|info|\d[a-z]?)$/,
    title: 'Documentation or data made while building',
    advice:
      'Look for a date, a random number, or entries in an order that is not fixed (of a folder, of a hash table).',
  },
];

const PROGRAM: Reason = {
  title: 'A program or library',
  advice:
    'Of the same size, it often holds a time (__DATE__, __TIME__), a path or a build number; of another size, something was built or linked differently, as by a race in make -j.',
};
const OTHER: Reason = {
  title: 'Other content',
  advice: 'Build it twice and compare the two files, for example with diffoscope.',
};
const ONE_SIDE: Reason = {
  title: 'There in one build only',
  advice:
    'A step found something on one machine that the other did not have, or steps ran in another order: look at what installs it.',
};
const MODE: Reason = {
  title: 'Other permissions',
  advice: 'The umask of the builder shows through: install it with a mode of its own (install -m 0644).',
};
const OWNER: Reason = {
  title: 'Another owner',
  advice: 'A file of the builder’s own user got in: chown it in do_install, which runs under pseudo.',
};
const TIME: Reason = {
  title: 'Another time',
  advice: 'The time of a file is part of this task’s output: set it from SOURCE_DATE_EPOCH.',
};
const LINK: Reason = {
  title: 'A link that leads elsewhere',
  advice: 'Look at what makes it: often an absolute path of the build folder.',
};
const TYPE: Reason = {
  title: 'Something else altogether',
  advice: 'A file in one build is a folder or a link in the other.',
};

/** Why such a difference commonly comes about. It is a guess: the signature has no content. */
export function reasonFor(difference: FileDifference): Reason {
  if (difference.kind !== 'changed') return ONE_SIDE;
  const { path, changes, there } = difference;
  if (changes.includes('type')) return TYPE;
  if (changes.includes('target')) return LINK;
  if (changes.includes('content') || changes.includes('size')) {
    const rule = CONTENT.find((each) => each.path.test(path));
    if (rule) return { title: rule.title, advice: rule.advice };
    const isProgram = there.mode.includes('x') || /\.(so|o|ko|dll|exe|bin|elf)(\.[\d.]+)?$/.test(path);
    return isProgram ? PROGRAM : OTHER;
  }
  if (changes.includes('mode')) return MODE;
  return changes.includes('owner') ? OWNER : TIME;
}

/** Differences that commonly have the same reason, the most first. */
export function groupByReason(
  files: readonly FileDifference[],
): { readonly reason: Reason; readonly files: readonly FileDifference[] }[] {
  const groups = new Map<string, { reason: Reason; files: FileDifference[] }>();
  for (const file of files) {
    const reason = reasonFor(file);
    const group = groups.get(reason.title);
    if (group) group.files.push(file);
    else groups.set(reason.title, { reason, files: [file] });
  }
  return [...groups.values()].sort((a, b) => b.files.length - a.files.length);
}
