import type { Option } from '../../settings/options.ts';

const option = (name: string, values: string, type: Option['type'], describe: string): Option => ({
  name,
  type,
  values: [values],
  describe: `shared-state: ${describe}`,
});

/** Of `insights shared-state` alone. */
export const SHARED_STATE_OPTIONS: readonly Option[] = [
  { ...option('sstate-dir', 'DIR', 'string', 'compare with the objects in this folder'), completes: 'folder' },
  option('sstate-mirror', 'URL', 'string', 'compare with the objects on this mirror (http or https)'),
  option('sstate-name', 'TEMPLATE', 'strings', 'how objects are named on the mirror; several are tried in order'),
  option('pkgarch', 'LIST', 'strings', 'package architectures that are tried on the mirror'),
  option('min-age', 'SECONDS', 'number', 'what is younger is not told of yet; 86400 without it'),
  option('cache-age', 'SECONDS', 'number', 'answers of a mirror are good for so long; 604800 without it'),
  {
    ...option('cache', 'FILE', 'string', 'where is remembered what was found; none: nowhere'),
    completes: 'file',
  },
  option('max-requests', 'N', 'integer', 'requests to the mirror in one run; 20000 without it'),
  option('at-once', 'N', 'integer', 'requests to the mirror under way at once; 8 without it'),
  option('mirror-timeout', 'SECONDS', 'number', 'the longest wait for an answer of the mirror; 10 without it'),
  {
    ...option('keep', 'FILE', 'string', 'write the unihashes that are not missing, for gc --keep-from'),
    completes: 'file',
  },
  {
    ...option('orphans', 'FILE', 'string', 'write the paths of objects that no unihash names, for xargs -0'),
    completes: 'file',
  },
  { name: 'fix', type: 'boolean', describe: 'shared-state: show commands that would put it right; none is run' },
];
