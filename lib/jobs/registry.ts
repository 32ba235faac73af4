import type { ValidateFunction } from 'ajv';
import { describeFault } from '../asyncrpc/schemas.ts';
import { createValidator } from '../asyncrpc/wire/formats.ts';
import { encodeJson, type Json } from '../asyncrpc/wire/messages.ts';
import { InvokeError } from '../errors.ts';
import type { JobKind } from './kind.ts';

/** Parameters are stored, and shown. */
const MAX_PARAMETER_BYTES = 8 * 1024;

/** The kinds that a server has. */
export interface JobKinds {
  add(kind: JobKind): void;
  get(name: string): JobKind | undefined;
  /** @throws InvokeError that names what is wrong */
  check(kind: JobKind, parameters: Json): void;
  readonly all: Iterable<JobKind>;
}

export function createKinds(): JobKinds {
  const validator = createValidator();
  const kinds = new Map<string, JobKind>();
  const validators = new Map<JobKind, ValidateFunction>();
  return {
    add(kind) {
      if (kinds.has(kind.name)) throw new Error(`there are two kinds of job called ${kind.name}`);
      kinds.set(kind.name, kind);
    },
    get: (name) => kinds.get(name),
    check(kind, parameters) {
      const refuse = (text: string) => new InvokeError(`job-start: ${kind.name}: ${text}`, undefined, 'invalid');
      const { maxParameterBytes = MAX_PARAMETER_BYTES } = kind;
      if (Buffer.byteLength(encodeJson(parameters)) > maxParameterBytes)
        throw refuse(`the parameters are longer than ${maxParameterBytes} bytes`);
      let validate = validators.get(kind);
      if (!validate) {
        validate = validator.compile(kind.parameters);
        validators.set(kind, validate);
      }
      if (!validate(parameters)) throw refuse(describeFault(validate.errors![0]!).text);
      kind.check?.(parameters);
    },
    get all() {
      return kinds.values();
    },
  };
}
