import { setImmediate } from 'node:timers/promises';
import { recipeOf } from '../pull/selection.ts';
import { nearest } from '../settings/nearest.ts';

/** Recipes that are remembered to tell which was meant, and how long they are at most: comparing two takes the product of their lengths. */
const MOST_SEEN = 5000;
const MOST_LETTERS = 40;
/** Unknown names that an error tells, and how long each is there. */
const MOST_TOLD = 20;
const SHOWN_LETTERS = 100;
/** For so many of them near ones are looked for. */
const MOST_COMPARED = 5;

/** `<PN>-<PV>-<PR>`, the version with its epoch (PE) before it where it has one. */
const VERSION = /^(.+)-((\d+)_)?([^-]*)-([^-]*)$/;

/**
 * The packages that are asked for, each a recipe or a whole `version`, as they are written: a `*` is a star. Notes which of
 * them were met.
 */
export class Names {
  private readonly names: ReadonlySet<string>;
  /** Whole versions by the PN and PV that a report of them has. */
  private readonly versions = new Map<string, { readonly name: string; readonly revision: string }[]>();
  private readonly met = new Set<string>();
  private readonly seen = new Set<string>();

  constructor(packages: readonly string[]) {
    this.names = new Set(packages);
    for (const name of this.names) {
      const [, recipe, epoch, , version, revision] = VERSION.exec(name) ?? [];
      if (recipe === undefined) continue;
      // What looks like an epoch may be part of the version.
      for (const each of epoch === undefined ? [version!] : [version!, `${epoch}${version}`]) {
        const key = keyOf(recipe, each);
        this.versions.set(key, [...(this.versions.get(key) ?? []), { name, revision: revision! }]);
      }
    }
  }

  /** The recipes of which reports must be looked at. */
  get recipes(): readonly string[] {
    return [...new Set([...this.names].flatMap((name) => [name, recipeOf(name)]))];
  }

  /** Whether a PR value is asked for. */
  takesValue(version: string): boolean {
    const recipe = recipeOf(version);
    if (this.seen.size < MOST_SEEN && recipe.length <= MOST_LETTERS) this.seen.add(recipe);
    return this.meet([version, recipe]);
  }

  /** Whether a report is asked for. One without its PR is of all revisions. */
  takesReport(PN: string | null, PV: string | null, PR: string | null): boolean {
    if (PN === null) return false;
    const versions = PV === null ? [] : (this.versions.get(keyOf(PN, PV)) ?? []);
    return this.meet([
      PN,
      ...versions.filter(({ revision }) => PR === null || PR === revision).map(({ name }) => name),
    ]);
  }

  /** What is wrong, if some of the packages were never met; otherwise null. Others have their turn between two names. */
  async fault(source: string): Promise<string | null> {
    const unknown = [...this.names].filter((name) => !this.met.has(name));
    if (unknown.length === 0) return null;
    const told: string[] = [];
    for (const name of unknown.slice(0, MOST_TOLD)) {
      const near = told.length < MOST_COMPARED ? this.nearTo(recipeOf(name)) : null;
      const shown = name.length > SHOWN_LETTERS ? `${name.slice(0, SHOWN_LETTERS)}…` : name;
      told.push(`${JSON.stringify(shown)}${near !== null && near !== name ? ` (did you mean ${near}?)` : ''}`);
      await setImmediate();
    }
    const more = unknown.length - told.length;
    const patterns = unknown.some((name) => /[*?]/.test(name))
      ? '; names are whole here, patterns are for bakeserv pull'
      : '';
    return `${source} has no package ${told.join(', ')}${more > 0 ? ` and ${more} more` : ''}${patterns}`;
  }

  private nearTo(recipe: string): string | null {
    return recipe.length > MOST_LETTERS ? null : nearest(recipe, [...this.seen]);
  }

  private meet(names: readonly string[]): boolean {
    let isAsked = false;
    for (const name of names)
      if (this.names.has(name)) {
        this.met.add(name);
        isAsked = true;
      }
    return isAsked;
  }
}

const keyOf = (recipe: string, version: string) => JSON.stringify([recipe, version]);
