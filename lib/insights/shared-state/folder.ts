import fs from 'node:fs';
import path from 'node:path';
import { inTurns } from '../in-turns.ts';
import { readObjectName } from './object-name.ts';
import type { Orphan, Survey } from './survey.ts';
import { type WalkFigures, walkFolder } from './walk.ts';

/** What a folder of shared state was found to hold. */
export interface FolderFigures extends WalkFigures {
  objects: number;
  /** Signatures and descriptions of objects: they are none themselves. */
  beside: number;
  /** Files that are of no object. */
  other: number;
}

export interface FolderHooks {
  /** Told of an object that no unihash names, and is old enough to count. */
  readonly onOrphan?: ((orphan: Orphan) => Promise<void> | undefined) | undefined;
  readonly onFile?: () => void;
  readonly signal?: AbortSignal | undefined;
}

/** Compares a survey's unihashes with the objects in a folder: then each has one, or is missing. */
export async function surveyFolder(survey: Survey, folder: string, hooks: FolderHooks = {}): Promise<FolderFigures> {
  const counts = { objects: 0, beside: 0, other: 0 };
  const figures = await walkFolder(
    folder,
    (file) => {
      hooks.onFile?.();
      const name = readObjectName(file.name);
      if (name === null || name === 'beside') {
        counts[name ?? 'other']++;
        return undefined;
      }
      counts.objects++;
      return survey.foundObject(name.unihash)
        ? undefined
        : orphan({ ...name, path: path.join(file.folder, file.name) });
    },
    hooks.signal,
  );
  await inTurns(survey.closeWalk(), hooks.signal);
  return { ...figures, ...counts };

  async function orphan(found: Omit<Orphan, 'bytes'>): Promise<void> {
    // Only of these: to ask for the size of every file would take longer than everything together.
    const there = await fs.promises.stat(found.path).catch(() => null);
    if (!there) return;
    const whole = { ...found, bytes: there.size };
    if (survey.foundOrphan(whole, Math.floor(there.mtimeMs / 1000))) await hooks.onOrphan?.(whole);
  }
}
