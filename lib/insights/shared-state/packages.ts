import { bareTask, type NameFields } from './object-name.ts';

/** Whoever reports chooses these texts: further packages are one, and no text is longer than a name can be. */
const MAX_PACKAGES = 100_000;
const MAX_TEXT = 255;

export type Package = Omit<NameFields, 'unihash'>;

const NOTHING: Package = { PN: null, PV: null, PR: null, task: null };

/** The distinct packages that unihashes are of, by number: there are many fewer of them. */
export class Packages {
  readonly #packages: Package[] = [NOTHING];
  readonly #numbers = new Map<string, number>([[keyOf(NOTHING), 0]]);
  #beyond = 0;

  /** The unihashes whose package is not told, as there were too many. */
  get beyond(): number {
    return this.#beyond;
  }

  get size(): number {
    return this.#packages.length;
  }

  /** The number of a package; 0 for what is not known, or no more to be told. */
  add({ PN, PV, PR, task }: Package): number {
    const one = { PN: cut(PN), PV: cut(PV), PR: cut(PR), task: task === null ? null : bareTask(cut(task)!) };
    const key = keyOf(one);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#packages.length === MAX_PACKAGES) {
      this.#beyond++;
      return 0;
    }
    this.#numbers.set(key, this.#packages.length);
    return this.#packages.push(one) - 1;
  }

  get(number: number): Package {
    return this.#packages[number]!;
  }
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, MAX_TEXT);
}

/** No key of another package: lengths come first, as a text may hold anything. */
function keyOf({ PN, PV, PR, task }: Package): string {
  return `${PN?.length},${PV?.length},${PR?.length},${task?.length}:${PN}${PV}${PR}${task}`;
}
