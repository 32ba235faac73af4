import type { ErrorObject } from 'ajv';
import { createAjv } from '../ajv.ts';
import { LISTENERS_SCHEMA } from './listener-words.ts';
import type { Option, OptionType } from './options.ts';
import { SERVE_OPTIONS } from './serve-options.ts';

/** The schema of a value, and what is expected of it in words. */
const TYPES: Record<OptionType, { readonly schema: object; readonly expected: string }> = {
  string: { schema: { type: 'string' }, expected: 'a text' },
  strings: {
    schema: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    expected: 'a text or a list of texts',
  },
  listeners: { schema: LISTENERS_SCHEMA, expected: 'an address or a list of addresses, or of objects with an address' },
  boolean: { schema: { type: 'boolean' }, expected: 'true or false' },
  integer: { schema: { type: 'integer', minimum: 1, maximum: 999_999_999_999 }, expected: 'a positive whole number' },
  number: { schema: { type: 'number', minimum: 0 }, expected: 'a number' },
  seconds: {
    schema: { type: 'number', exclusiveMinimum: 0, maximum: 999_999_999 },
    expected: 'a positive number of seconds',
  },
  'seconds-or-0': {
    schema: { type: 'number', minimum: 0, maximum: 999_999_999 },
    expected: 'a number of seconds, or 0',
  },
  bytes: {
    schema: {
      anyOf: [
        { type: 'integer', minimum: 0, maximum: 999_999_999_999 },
        { type: 'string', pattern: '^\\d{1,12}\\s*([Bb]|[KkMmGg][Ii][Bb])?$' },
      ],
    },
    expected: 'a size in bytes, such as 65536, 64KiB or 16MiB',
  },
};

/** What a value of the option must be, for a message. */
export function expectedOf({ type, choices, expected }: Option): string {
  return choices ? `one of ${choices.join(', ')}` : (expected ?? TYPES[type].expected);
}

function schemaOf(option: Option): object {
  return {
    ...TYPES[option.type].schema,
    ...(option.choices && { enum: option.choices }),
    ...(option.pattern && { pattern: option.pattern }),
  };
}

/**
 * The JSON Schema of a configuration file, made from the option table. Flags and environment variables are checked
 * against it too. contrib/bakeserv.schema.json is the same, for editors.
 */
export function settingsSchema() {
  const properties: Record<string, object> = { $schema: { type: 'string' } };
  for (const option of SERVE_OPTIONS) {
    properties[option.name] = {
      description: option.describe,
      ...(option.default !== undefined && { default: option.default }),
      ...schemaOf(option),
    };
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'bakeserv configuration',
    type: 'object',
    additionalProperties: false,
    properties,
  };
}

const validator = createAjv({ strict: true, allErrors: true, ownProperties: true });

/** A schema for each option. Only those that must be looked at are compiled: all of them would take a quarter of a start. */
const SCHEMAS = new Map(
  Object.entries(settingsSchema().properties).map(([name, schema]) => [
    name,
    { type: 'object', properties: { [name]: schema } },
  ]),
);

/** Options of which every text is right, as far as their schemas go, and those of which every list of texts is. */
const TEXTS = new Set(SERVE_OPTIONS.filter(takes('string', 'strings', 'listeners')).map(({ name }) => name));
const LISTS = new Set(SERVE_OPTIONS.filter(takes('strings', 'listeners')).map(({ name }) => name));

function takes(...types: readonly OptionType[]): (option: Option) => boolean {
  return ({ type, choices, pattern }) => types.includes(type) && !choices && !pattern;
}

/** Whether there can be no fault: then no schema is compiled, and most starts do not wait for Ajv to be loaded. */
function isPlain(name: string, value: unknown): boolean {
  if (typeof value === 'string') return TEXTS.has(name);
  return Array.isArray(value) && LISTS.has(name) && value.every((each) => typeof each === 'string');
}

/** Every fault in settings; none when they are valid. */
export function settingsFaults(settings: Readonly<Record<string, unknown>>): readonly ErrorObject[] {
  const unknown = Object.keys(settings).filter((name) => !SCHEMAS.has(name));
  const known = [...SCHEMAS].filter(([name]) => Object.hasOwn(settings, name) && !isPlain(name, settings[name]));
  return [
    ...unknown.map((additionalProperty) => ({
      keyword: 'additionalProperties',
      instancePath: '',
      schemaPath: '#/additionalProperties',
      params: { additionalProperty },
    })),
    ...known.flatMap(([name, schema]) => {
      const validate = validator.compile(schema);
      return validate({ [name]: settings[name] }) ? [] : validate.errors!;
    }),
  ];
}
