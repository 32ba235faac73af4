import { errorText } from '../../errors.ts';
import { type FolderFigures, surveyFolder } from './folder.ts';
import { readMemory, writeMemory } from './memory.ts';
import { type MirrorLimits, openMirror } from './mirror.ts';
import type { NameRule } from './object-name.ts';
import { type MirrorFigures, surveyMirror } from './on-mirror.ts';
import { readUnihashes, type TaskReader } from './source.ts';
import { type Orphan, Survey } from './survey.ts';

/** Where objects are looked for. */
export type Place =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'mirror'; readonly address: string; readonly limits: MirrorLimits; readonly rule: NameRule };

export interface SharedStateRun {
  readonly reader: TaskReader;
  readonly place: Place;
  /** In seconds: see Survey. */
  readonly minAge: number;
  readonly maxAge: number;
  /** Where it is remembered since when objects are missing, and what a mirror answered; null: nowhere. */
  readonly memory: { readonly file: string; readonly about: string } | null;
  /** Told when another part begins: what is counted, and how many there will be, null where that is not known. */
  readonly onPart?: (what: 'unihashes' | 'files' | 'looked up', total: number | null) => Promise<void>;
  readonly onDone?: (count: number) => void;
  readonly onOrphan?: (orphan: Orphan) => Promise<void> | undefined;
  readonly signal?: AbortSignal;
}

export interface SharedStateFindings {
  readonly survey: Survey;
  /** The folder, or the address of the mirror without user and password. */
  readonly shown: string;
  readonly folder: FolderFigures | null;
  readonly mirror: MirrorFigures | null;
  /** Why what was found could not be remembered, or null. */
  readonly notRemembered: string | null;
}

/**
 * Compares the unihashes of a server with the objects in a folder or on a mirror. The unihashes are read first: whatever is
 * reported later is not missing.
 */
export async function compareSharedState(run: SharedStateRun): Promise<SharedStateFindings> {
  const { place, memory, signal, onDone = () => {} } = run;
  const survey = new Survey(Math.floor(Date.now() / 1000), run.minAge, run.maxAge);
  await run.onPart?.('unihashes', null);
  for await (const rows of readUnihashes(run.reader)) {
    signal?.throwIfAborted();
    survey.addUnihashes(rows);
    onDone(rows.length);
  }
  if (memory) await readMemory(memory.file, memory.about, survey.known);
  const found = place.kind === 'folder' ? await lookInFolder(place.folder) : await lookOnMirror(place);
  return { survey, ...found, notRemembered: await remember() };

  async function lookInFolder(folder: string) {
    await run.onPart?.('files', null);
    const hooks = { onFile: () => onDone(1), onOrphan: run.onOrphan, signal };
    return { shown: folder, folder: await surveyFolder(survey, folder, hooks), mirror: null };
  }

  async function lookOnMirror({ address, limits, rule }: Extract<Place, { kind: 'mirror' }>) {
    const mirror = openMirror(address, limits, signal);
    await run.onPart?.('looked up', survey.known.size);
    try {
      const figures = await surveyMirror(survey, mirror, {
        rule,
        atOnce: limits.atOnce,
        onUnihash: () => onDone(1),
        signal,
      });
      return { shown: mirror.shown, folder: null, mirror: figures };
    } finally {
      mirror.close();
    }
  }

  /** What was found is told all the same. */
  async function remember(): Promise<string | null> {
    if (!memory) return null;
    try {
      await writeMemory(memory.file, memory.about, survey.known);
      return null;
    } catch (error) {
      return errorText(error);
    }
  }
}
