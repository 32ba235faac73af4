import type { FolderFigures } from './folder.ts';
import type { Totals } from './survey.ts';

/** What could be done about something, as commands of a shell. Nothing is done by whoever reads this. */
export interface Proposal {
  readonly why: string;
  readonly commands: readonly string[];
}

export interface Facts {
  readonly totals: Totals;
  /** Null for a mirror. */
  readonly folder: FolderFigures | null;
  /** The folder or mirror, and the hash server, as they are named on a command line. */
  readonly shown: string;
  readonly address: string;
}

/** Where the proposed commands keep their lists. */
const KEEP = 'unihashes-to-keep.txt';
const ORPHANS = 'objects-to-remove.list';

/** What may be proposed, and why nothing more is. */
export function proposalsFor({ totals, folder, shown, address }: Facts): readonly Proposal[] {
  const client = `bakeserv-hashclient --address ${quoted(address)}`;
  const place = `${folder ? '--sstate-dir' : '--sstate-mirror'} ${quoted(shown)}`;
  const refusal = refusalOf(totals, folder);
  if (refusal !== null) return [{ why: refusal, commands: [] }];
  const proposals: Proposal[] = [];
  if (totals.missing > 0) {
    const keep = folder ? place : `--keep-from ${KEEP}`;
    const list = folder ? [] : [`${client} insights shared-state ${place} --keep ${KEEP}`];
    proposals.push({
      why: 'Have the server forget what has no object, so that those tasks are built and stored again; count first:',
      commands: [...list, `${client} gc ${keep} --dry-run`, `${client} gc ${keep}`],
    });
  }
  if (folder && totals.orphans > 0) {
    proposals.push({
      why: 'Remove the objects that no unihash names, if no other builds use this folder; read the list first:',
      commands: [
        `${client} insights shared-state ${place} --orphans ${ORPHANS}`,
        `tr '\\0' '\\n' < ${ORPHANS} | less`,
        `xargs -0 -r rm -f -- < ${ORPHANS}`,
      ],
    });
  }
  return proposals.length > 0 ? proposals : [{ why: 'Both are in step: there is nothing to do', commands: [] }];
}

/** Why nothing is proposed at all: what cannot be seen would be lost. */
function refusalOf({ unihashes, present, unknown }: Totals, folder: FolderFigures | null): string | null {
  if (folder && folder.unreadable > 0)
    return `${folder.unreadable} folders could not be read: nothing is proposed, as what is in them would be lost`;
  if (unihashes > 0 && present === 0)
    return unknown === unihashes
      ? 'It is not known of any unihash whether it has an object: nothing is proposed'
      : 'No unihash has an object there: is it the right place? Nothing is proposed';
  return null;
}

/** A word of a shell, as it may be shown on one line. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
