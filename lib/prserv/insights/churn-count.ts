import type { PackageValues } from '../insight-rows.ts';
import { isCountable, largest } from '../revision.ts';

/** Where the last number of a value has come so close to the limit of nine digits, an import of the value would be refused. */
const LARGEST_NUMBER = 999_999_999;
export const NEAR_THE_LIMIT = 1_000_000;
/** Whoever may ask for values can make up recipes: further ones are counted, and not told one by one; … */
const MAX_RECIPES = 100_000;
/** … nor are those that come when so many characters of names are held. */
const MAX_CHARS = 8 << 20;
/** A package with more values is not looked at for gaps. */
const MAX_NUMBERS = 100_000;

/** What has become of one recipe on one package architecture, in all of its versions. */
export interface RecipeChurn {
  readonly recipe: string;
  readonly pkgarch: string;
  /** PN-PV-PR of which there are values. */
  versions: number;
  /** Values given out: rows, each for a checksum. */
  values: number;
  /** Those that are newer than was asked for. */
  newer: number;
  /** Values between the smallest and the largest that nobody has, counted under each prefix (`1.` of `1.4`) by itself. */
  skipped: number;
  /** The largest value of a version, by its last number. */
  largest: string;
  /** How many values are left until the limit, of the version that has the fewest. */
  left: number;
}

/** All recipes, and what was not told one by one. */
export interface Churn {
  readonly recipes: readonly RecipeChurn[];
  readonly packages: number;
  readonly values: number;
  readonly newer: number;
  /** Rows whose value cannot be counted on from: no number is taken from them. */
  readonly bad: number;
  /** Recipes beyond those that are told; their values are counted above. */
  readonly more: number;
}

/** Adds up values, a package after the other. */
export class ChurnCount {
  readonly #recipes = new Map<string, RecipeChurn>();
  #open: OpenPackage | null = null;
  #packages = 0;
  #values = 0;
  #newer = 0;
  #bad = 0;
  /** Packages of recipes that are not told; a recipe of several of them counts as often. */
  #more = 0;
  #chars = 0;

  /** The rows of a package must come one after the other. */
  add({ version, pkgarch, values, newer }: PackageValues): void {
    if (this.#open?.version !== version || this.#open.pkgarch !== pkgarch) {
      this.#close();
      this.#open = new OpenPackage(version, pkgarch);
    }
    this.#values += values.length;
    this.#newer += newer;
    this.#bad += this.#open.add(values, newer);
  }

  end(): Churn {
    this.#close();
    return {
      recipes: [...this.#recipes.values()],
      packages: this.#packages,
      values: this.#values,
      newer: this.#newer,
      bad: this.#bad,
      more: this.#more,
    };
  }

  #close(): void {
    const one = this.#open;
    this.#open = null;
    if (one === null) return;
    this.#packages++;
    if (one.max === null) return;
    const recipe = recipeOf(one.version);
    const key = `${recipe}\0${one.pkgarch}`;
    const known = this.#recipes.get(key);
    if (!known && (this.#recipes.size === MAX_RECIPES || this.#chars + key.length > MAX_CHARS)) {
      this.#more++;
      return;
    }
    const left = leftAfter(one.max);
    if (!known) {
      const { pkgarch, values, newer, max } = one;
      this.#chars += key.length;
      this.#recipes.set(key, {
        recipe,
        pkgarch,
        versions: 1,
        values,
        newer,
        skipped: one.skipped(),
        largest: max,
        left,
      });
      return;
    }
    known.versions++;
    known.values += one.values;
    known.newer += one.newer;
    known.skipped += one.skipped();
    if (left < known.left) known.left = left;
    if (lastNumber(one.max) > lastNumber(known.largest)) known.largest = one.max;
  }
}

/** A package whose rows are still coming. */
class OpenPackage {
  readonly version: string;
  readonly pkgarch: string;
  values = 0;
  newer = 0;
  max: string | null = null;
  /** The last numbers of values by what stands before them; and how many those are. */
  readonly #numbers = new Map<string, number[]>();
  #counted = 0;

  constructor(version: string, pkgarch: string) {
    this.version = version;
    this.pkgarch = pkgarch;
  }

  /** @returns how many cannot be counted on from */
  add(values: readonly (string | null)[], newer: number): number {
    this.newer += newer;
    let bad = 0;
    for (const value of values) {
      if (!isCountable(value)) {
        bad++;
        continue;
      }
      this.values++;
      this.max = largest(this.max, value);
      const number = lastNumber(value);
      // A gap that is longer than any counting tells nothing about it.
      if (!Number.isSafeInteger(number) || ++this.#counted > MAX_NUMBERS) continue;
      const prefix = value.slice(0, value.lastIndexOf('.') + 1);
      const known = this.#numbers.get(prefix);
      if (known) known.push(number);
      else this.#numbers.set(prefix, [number]);
    }
    return bad;
  }

  skipped(): number {
    if (this.#counted > MAX_NUMBERS) return 0;
    let skipped = 0;
    for (const numbers of this.#numbers.values()) skipped += gaps(numbers);
    return skipped;
  }
}

/** Whole numbers that are missing between the smallest and the largest. */
function gaps(numbers: readonly number[]): number {
  let [min, max] = [Number.POSITIVE_INFINITY, 0];
  for (const number of numbers) {
    if (number < min) min = number;
    if (number > max) max = number;
  }
  return max - min + 1 - new Set(numbers).size;
}

function lastNumber(value: string): number {
  return Number(value.slice(value.lastIndexOf('.') + 1));
}

function leftAfter(max: string): number {
  return Math.max(0, LARGEST_NUMBER - lastNumber(max));
}

/** The PN of a version, which is PN-PV-PR; neither PV nor PR has a dash. */
export function recipeOf(version: string): string {
  const found = /^(.+)-[^-]*-[^-]*$/.exec(version);
  return found?.[1] ?? version;
}
