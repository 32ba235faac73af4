import { InvokeError } from '../errors.ts';
import { FILE_PARAMETER, parametersOf } from '../jobs/kind.ts';
import { ON_CONFLICT, type OnConflict } from '../prserv/pull/rules.ts';
import { checkParameters as checkSource, type PullParameters, SOURCE_PARAMETERS } from '../pull/parameters.ts';
import type { Services } from '../pull/wanted.ts';

/** Packages of one promotion. */
export const MOST_PACKAGES = 10_000;
/** Room for their names, which are 25 letters long on average. */
export const MOST_PARAMETER_BYTES = 1024 * 1024;

/** What a promotion is asked for; names are those of the command line's options. */
export interface PromoteParameters extends Omit<PullParameters, 'packages' | 'methods' | 'since'> {
  /** Recipes, or whole `version`s. */
  readonly packages: readonly string[];
  /** The list that somebody has seen, as its result names it: what is done must be that. */
  readonly confirmed?: string;
  readonly on_conflict?: OnConflict;
  /** Of a dry run: the file of this machine that gets every name of the list. */
  readonly list_file?: string;
}

const NAME = { type: 'string', minLength: 1, maxLength: 1024, format: 'text' };

export const PROMOTE_PARAMETERS = parametersOf(
  {
    ...SOURCE_PARAMETERS,
    packages: { type: 'array', minItems: 1, maxItems: MOST_PACKAGES, items: NAME },
    hashes: { type: 'boolean' },
    prs: { type: 'boolean' },
    pkgarch: NAME,
    on_conflict: { enum: ON_CONFLICT },
    dry_run: { type: 'boolean' },
    confirmed: { ...NAME, maxLength: 200 },
    list_file: FILE_PARAMETER,
  },
  ['source', 'packages'],
);

/** Neither named: both. */
export function servicesOf({ hashes = false, prs = false }: PromoteParameters): Services {
  return { hashes: hashes || !prs, prs: prs || !hashes };
}

/** @throws InvokeError */
export function checkParameters(parameters: PromoteParameters): void {
  checkSource(sourceOf(parameters));
  if (parameters.dry_run && parameters.confirmed !== undefined)
    throw new InvokeError('promote: confirmed is of no use with dry_run', undefined, 'invalid');
  if (!parameters.dry_run && parameters.list_file !== undefined)
    throw new InvokeError('promote: list_file goes with dry_run: it is what is looked at before', undefined, 'invalid');
}

/** How the source is opened. */
export function sourceOf({
  packages: _,
  confirmed: __,
  list_file: ___,
  ...parameters
}: PromoteParameters): PullParameters {
  return parameters;
}
