import { createAjv, type Validator } from '../../ajv.ts';

const UNIHASH = /^[0-9a-f]{64}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to refuse control characters
const CONTROL = /[\x00-\x1f\x7f]/;

/** A unihash is exactly 64 lower-case hex digits (docs/protocol.md). */
export function isUnihash(text: string): boolean {
  return text.length === 64 && UNIHASH.test(text);
}

/** A key (method, taskhash, outhash, …): 1 to 256 bytes, well-formed, without control characters. */
export function isHash(text: string): boolean {
  return text.length > 0 && text.length <= 256 && !CONTROL.test(text) && text.isWellFormed() && fits(text, 256);
}

/** A descriptive text: at most 1 KiB, well-formed Unicode, no NUL. */
export function isText(text: string): boolean {
  return text.length <= 1024 && isLongText(text) && fits(text, 1024);
}

/** A text of any length a message may have. */
export function isLongText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** The beginning of a time in UTC: `2026-11`, `2026-11-22`, `2026-11-22T03:04`. */
const MOMENT = /^\d{4}-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|\+00:00)?)?)?$/;

/** A PR value: dotted integers. */
export function isPrValue(text: string): boolean {
  return /^\d{1,9}(\.\d{1,9}){0,15}$/.test(text) && !text.endsWith('\n');
}

function fits(text: string, bytes: number): boolean {
  return text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;
}

/** What services check the arguments of commands with. Client objects are never changed or merged. */
export function createValidator(): Validator {
  return createAjv({ strict: true, allowUnionTypes: true, ownProperties: true, messages: true }, (ajv) => {
    ajv.addFormat('hash', isHash);
    ajv.addFormat('text', isText);
    ajv.addFormat('moment', MOMENT);
    ajv.addFormat('long-text', isLongText);
    ajv.addFormat('unihash', isUnihash);
    ajv.addFormat('pr-value', isPrValue);
  });
}
