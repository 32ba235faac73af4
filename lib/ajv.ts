import { createRequire } from 'node:module';
import type { Ajv, Options, ValidateFunction } from 'ajv';

/** Compiles schemas. */
export interface Validator {
  compile(schema: object): ValidateFunction;
}

/**
 * That schemas are well-formed themselves is tested (tests/unit/asyncrpc.test.ts), not found out again in every process, as
 * that takes longer than compiling them.
 */
const TRUSTED_SCHEMAS = { meta: false, validateSchema: false } as const;

const require = createRequire(import.meta.url);

/** Loads Ajv unless it is loaded. It has more files than all else that a start loads, so a server does it once it listens. */
export function loadAjv(): typeof import('ajv') {
  return require('ajv') as typeof import('ajv');
}

/** A validator that is made when it compiles its first schema. */
export function createAjv(options: Options, prepare: (ajv: Ajv) => void = () => {}): Validator {
  let ajv: Ajv | null = null;
  const made = () => {
    const { Ajv } = loadAjv();
    ajv = new Ajv({ ...options, ...TRUSTED_SCHEMAS });
    prepare(ajv);
    return ajv;
  };
  return { compile: (schema) => (ajv ?? made()).compile(schema) };
}
