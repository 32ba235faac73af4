/** All white space that some reader drops at the end of a line: Unicode's, and control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to match control characters
const END = /^END[\s\x00-\x20\x7f-\x9f]*$/;
const KEYS = /^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u;
/** Two keys of the greatest length, a blank, and some room. */
const MAX_KEYS_LENGTH = 1024;

/** Whether a text can be sent as one line of a stream: it is a single line, and does not end the stream. */
export function isStreamLine(text: string): boolean {
  return !text.includes('\n') && !END.test(text);
}

/**
 * Whether every server reads the text as nothing but keys, separated by single blanks. Any other white space,
 * control characters and lone surrogates are read differently by different servers.
 */
export function isKeyLine(text: string): boolean {
  return text.length <= MAX_KEYS_LENGTH && text !== 'END' && KEYS.test(text);
}
