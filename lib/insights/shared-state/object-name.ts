/**
 * The names of shared-state objects, as OpenEmbedded gives them:
 * `sstate:PN:ARCH-VENDOR-OS:PV:PR:PKGARCH:VERSION:UNIHASH_TASK.tar.zst`, in a folder `XX/YY` of the first digits of the
 * unihash, for native recipes below one more folder (`universal/`). What is signed or described lies beside it under the
 * same name with `.sig` or `.siginfo`.
 */
const OBJECT = /^sstate:.*:([0-9a-f]{64})_([^:./]+)\.(?:tar\.(?:zst|gz|xz)|tgz)$/;
const BESIDE = /^sstate:.*:[0-9a-f]{64}_[^:/]*\.(?:siginfo|sig)$/;

/** What a name in a shared-state folder tells. */
export interface ObjectName {
  readonly unihash: string;
  readonly PN: string;
  /** Without `do_`. */
  readonly task: string;
}

/** What a name is of: an object, something that lies beside one, or null for anything else. */
export function readObjectName(name: string): ObjectName | 'beside' | null {
  const found = OBJECT.exec(name);
  if (found) return { unihash: found[1]!, PN: name.split(':', 2)[1]!, task: bareTask(found[2]!) };
  return BESIDE.test(name) ? 'beside' : null;
}

/** A task as it stands in the names of objects: reports have it with or without `do_`. */
export function bareTask(task: string): string {
  return task.startsWith('do_') ? task.slice(3) : task;
}

/** What the hash database knows of an object, of all that its name is made of. */
export interface NameFields {
  readonly unihash: string;
  readonly PN: string | null;
  readonly PV: string | null;
  readonly PR: string | null;
  readonly task: string | null;
}

const FIELDS = ['unihash', 'PN', 'PV', 'PR', 'task', 'pkgarch', 'folder'] as const;
type Field = (typeof FIELDS)[number];

/** Where objects are, below the address of a mirror: recipes of the build machine, then those of targets. */
export const DEFAULT_NATIVE_NAME =
  'universal/{folder}/sstate:{PN}:{pkgarch}-linux:{PV}:{PR}:{pkgarch}:12:{unihash}_{task}.tar.zst';
export const DEFAULT_TARGET_NAME =
  '{folder}/sstate:{PN}:{pkgarch}-poky-linux:{PV}:{PR}:{pkgarch}:12:{unihash}_{task}.tar.zst';
/** Of tasks that are the same for every architecture. */
export const DEFAULT_COMMON_NAME = '{folder}/sstate:{PN}::{PV}:{PR}::12:{unihash}_{task}.tar.zst';

const COMMON_TASKS: ReadonlySet<string> = new Set(['populate_lic', 'fetch', 'unpack', 'patch', 'preconfigure']);

export const DEFAULT_NATIVE_ARCHS = ['x86_64'] as const;
export const DEFAULT_PKGARCHS = ['core2-64', 'qemux86_64', 'allarch'] as const;

/** What a user says about names on a mirror. */
export interface NameRule {
  /** Given templates are tried for every recipe, in their order; none: the defaults above. */
  readonly templates: readonly string[];
  /** Package architectures that are tried; none: the defaults above. */
  readonly pkgarchs: readonly string[];
}

/** What is wrong with a template, or null. */
export function templateFault(template: string): string | null {
  for (const [, field] of template.matchAll(/\{([^{}]*)\}/g))
    if (!FIELDS.includes(field as Field))
      return `no field is called {${field}}: there are ${FIELDS.map((each) => `{${each}}`).join(', ')}`;
  if (!template.includes('{unihash}')) return '{unihash} must be in it';
  return /^\/|(^|\/)\.\.?(\/|$)|[\s?#\\]/.test(template) ? 'it must be a path below the address of the mirror' : null;
}

/**
 * The names under which an object may be on a mirror, in the order in which they are tried. Empty where a field that a name
 * needs is not known.
 */
export function candidateNames(fields: NameFields, { templates, pkgarchs }: NameRule): string[] {
  const names = new Set<string>();
  for (const template of templates.length > 0 ? templates : defaultTemplates(fields)) {
    const archs = !template.includes('{pkgarch}') ? [''] : pkgarchs.length > 0 ? pkgarchs : defaultArchs(fields);
    for (const pkgarch of archs) {
      const name = fillIn(template, fields, pkgarch);
      if (name !== null) names.add(name);
    }
  }
  return [...names];
}

function fillIn(template: string, fields: NameFields, pkgarch: string): string | null {
  const { unihash, task } = fields;
  const values: Readonly<Record<Field, string | null>> = {
    ...fields,
    task: task === null ? null : bareTask(task),
    pkgarch,
    folder: `${unihash.slice(0, 2)}/${unihash.slice(2, 4)}`,
  };
  let known = true;
  const name = template.replaceAll(/\{([^{}]*)\}/g, (_, field: Field) => {
    const value = values[field];
    // Whoever reports a task chooses these texts: none may lead to another folder of the mirror.
    if (!value || (field !== 'folder' && value.includes('/'))) known = false;
    return value ?? '';
  });
  return known ? name : null;
}

function defaultTemplates({ PN, task }: NameFields): readonly string[] {
  if (task !== null && COMMON_TASKS.has(bareTask(task))) return [DEFAULT_COMMON_NAME];
  return isNative(PN) ? [DEFAULT_NATIVE_NAME] : [DEFAULT_TARGET_NAME];
}

function defaultArchs({ PN }: NameFields): readonly string[] {
  return isNative(PN) ? DEFAULT_NATIVE_ARCHS : DEFAULT_PKGARCHS;
}

function isNative(PN: string | null): boolean {
  return PN?.endsWith('-native') === true;
}
