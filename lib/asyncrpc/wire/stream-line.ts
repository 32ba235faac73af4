/** Every white space that some reader drops at the end of a line: those of Unicode, and control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is meant
const END = /^END[\s\x00-\x20\x7f-\x9f]*$/;
const KEYS = /^[^\p{C}\p{Z}]+(?: [^\p{C}\p{Z}]+)*$/u;
/** Two keys of the greatest length, a blank, and room to spare. */
const MAX_KEYS_LENGTH = 1024;

/** Whether a text can be sent as one line of a stream: it is one line, and none that ends the stream. */
export function isStreamLine(text: string): boolean {
  return !text.includes('\n') && !END.test(text);
}

/**
 * Whether a text is nothing but keys, parted by single blanks, to whatever server reads it. White space of any other
 * kind, control characters and half characters are read differently by different servers.
 */
export function isKeyLine(text: string): boolean {
  return text.length <= MAX_KEYS_LENGTH && text !== 'END' && KEYS.test(text);
}
