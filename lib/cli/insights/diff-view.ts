import type { Json } from '../../asyncrpc/wire/messages.ts';
import type { Args } from '../args/args.ts';
import { UsageError } from '../args/usage-error.ts';
import { sizeText } from './table.ts';
import { type Answer, type Entry, text, type View } from './view.ts';

function argument(args: Args): { readonly [key: string]: Json } {
  const given: { [key: string]: Json } = { taskhash: args.need('diff') };
  for (const name of ['method', 'outhash', 'other']) {
    const value = args.text(name);
    if (value !== undefined) given[name] = value;
  }
  if ((given.outhash === undefined) !== (given.other === undefined))
    throw new UsageError('insights unstable: --outhash and --other name the two outputs: give both, or neither');
  return given;
}

/** Of each change what is on either side; of a content that it is another one. */
const CHANGES: Readonly<Record<string, (file: Entry) => string>> = {
  content: () => '',
  size: (file) => String(file.size ?? '-'),
  type: (file) => String(file.mode).slice(0, 1),
  mode: (file) => String(file.mode).slice(1),
  owner: (file) => `${file.owner}:${file.group}`,
  time: (file) => String(file.time ?? '-'),
  target: (file) => String(file.target ?? '-'),
};

const WHERE: Readonly<Record<string, string>> = {
  'only-here': 'only in the older output',
  'only-there': 'only in the newer output',
};

/** A difference in a line: which file, and what is not the same. */
function shown(entry: Entry): Entry {
  const { kind, path, number, text: line } = entry;
  if (path === undefined) return { path: `line ${number}: ${line}`, change: WHERE[String(kind)]! };
  if (kind !== 'changed') return { path, change: WHERE[String(kind)]! };
  const [here, there] = [entry.here as Entry, entry.there as Entry];
  const changes = (entry.changes as readonly string[]).map((change) => {
    const [before, after] = [CHANGES[change]!(here), CHANGES[change]!(there)];
    return before === after ? `other ${change}` : `${change} ${before} > ${after}`;
  });
  return { path, change: changes.join('; ') };
}

function notes(answer: Answer): string[] {
  const [here, there] = [answer.here as Entry, answer.there as Entry];
  const output = (name: string, { outhash, created, owner, siginfo_bytes: bytes }: Entry) =>
    `${name} output ${outhash}, reported ${created ?? 'some time'}${owner === null ? '' : ` by ${owner}`}, ${sizeText(Number(bytes))} of signature text`;
  const counts = Object.entries(answer.counts as { [kind: string]: number }).map(([kind, n]) => `${kind} ${n}`);
  return [
    output('Older', here),
    output('Newer', there),
    ...(answer.same === true ? ['The texts are the same.'] : [`In all: ${counts.join(', ') || 'the order of lines'}`]),
    ...(answer.form === 'lines'
      ? ['At least one text is in another form than a line a file: they were compared by lines.']
      : []),
    ...(answer.cut === true ? ['A text has too many lines: only its beginning was compared.'] : []),
  ];
}

/** `insights unstable --diff`. */
export const DIFF_VIEW: View = {
  command: 'insight-diff',
  options: ['diff', 'method', 'outhash', 'other'],
  argument,
  lists: [
    {
      name: 'entries',
      title: 'What differs',
      empty: 'Nothing.',
      columns: [text('change', 'What'), text('path', 'File')],
      entries: (answer) => [...(answer.header as readonly Entry[]), ...(answer.entries as readonly Entry[])].map(shown),
    },
  ],
  notes,
};
