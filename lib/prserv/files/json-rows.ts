import { type Parsed, rowOf } from './formats.ts';

/** Texts longer than a row of any server: a file of one endless text must not fill the memory. */
const MAX_ROW_CHARACTERS = 1024 * 1024;

/** Where the next character is. */
type State = 'outside' | 'before-row' | 'row' | 'behind-row' | 'done';

/**
 * Reads a list of rows, or an object whose `datainfo` is one, a row at a time. What is around the rows is read as JSON at the end,
 * where a file that was cut off is found out too.
 */
export async function* readJsonRows(pieces: AsyncIterable<string>): AsyncGenerator<Parsed> {
  const reader = new JsonRows();
  for await (const piece of pieces) {
    yield* reader.take(piece);
    if (reader.failed) return;
  }
  yield* reader.end();
}

class JsonRows {
  failed = false;
  private state: State = 'outside';
  /** All but the rows. */
  private around = '';
  private row = '';
  private number = 0;
  private depth = 0;
  /** Around the rows. */
  private listDepth = 0;
  private inText = false;
  private escaped = false;
  /** The text that began last at the uppermost level of the object: a key, or the value of one. */
  private key = '';

  *take(piece: string): Generator<Parsed> {
    for (const character of piece) {
      const fault = this.step(character);
      if (fault !== null) {
        yield this.fail(fault);
        return;
      }
      if (this.state !== 'row' || this.depth > 0 || this.inText || this.row === '') continue;
      // An object has ended.
      yield this.parse();
      if (this.failed) return;
      this.state = 'behind-row';
    }
  }

  *end(): Generator<Parsed> {
    if (this.state !== 'outside' && this.state !== 'done') {
      yield this.fail('the file ends in the middle of its rows');
      return;
    }
    try {
      JSON.parse(this.around);
    } catch (error) {
      yield this.fail(`not JSON: ${(error as Error).message}`);
      return;
    }
    if (this.state === 'outside') yield this.fail('expected a list of rows, or an object whose "datainfo" is one');
  }

  private parse(): Parsed {
    const text = this.row;
    this.row = '';
    this.number++;
    try {
      return rowOf(JSON.parse(text), this.number);
    } catch {
      this.failed = true;
      return { line: this.number, error: 'not JSON' };
    }
  }

  private fail(error: string): Parsed {
    this.failed = true;
    return { line: this.number + 1, error };
  }

  /** @returns what is wrong with the character, or null */
  private step(character: string): string | null {
    switch (this.state) {
      case 'outside':
      case 'done':
        return this.stepAround(character);
      case 'row':
        return this.stepRow(character);
      default:
        return this.stepBetween(character);
    }
  }

  private stepAround(character: string): string | null {
    this.around += character;
    if (this.around.length > MAX_ROW_CHARACTERS) return 'not an export: too much beside its rows';
    if (this.textGoesOn(character)) {
      if (this.depth === 1 && character !== '"') this.key += character;
    } else if (character === '"') {
      this.key = '';
    } else if (character === '{' || character === '[') {
      const isList = character === '[' && (this.depth === 0 || (this.depth === 1 && this.key === 'datainfo'));
      if (isList && this.state === 'outside') {
        this.state = 'before-row';
        this.listDepth = this.depth;
        this.depth = 0;
      } else this.depth++;
    } else if (character === '}' || character === ']') this.depth--;
    return null;
  }

  private stepBetween(character: string): string | null {
    if (/\s/.test(character)) return null;
    if (character === ']' && (this.state === 'behind-row' || this.number === 0)) {
      this.around += ']';
      this.depth = this.listDepth;
      this.key = '';
      this.state = 'done';
      return null;
    }
    if (this.state === 'behind-row') {
      if (character !== ',') return 'expected a comma';
      this.state = 'before-row';
      return null;
    }
    if (character !== '{') return 'not a JSON object';
    this.state = 'row';
    this.depth = 1;
    this.row = '{';
    return null;
  }

  private stepRow(character: string): string | null {
    this.row += character;
    if (this.row.length > MAX_ROW_CHARACTERS) return 'longer than any row';
    if (this.textGoesOn(character) || character === '"') return null;
    if (character === '{' || character === '[') this.depth++;
    if (character === '}' || character === ']') this.depth--;
    return null;
  }

  /** Whether the character is in a text, or ends one. A quote that begins one is not. */
  private textGoesOn(character: string): boolean {
    if (!this.inText) {
      if (character === '"') this.inText = true;
      return false;
    }
    if (this.escaped) this.escaped = false;
    else if (character === '\\') this.escaped = true;
    else if (character === '"') this.inText = false;
    return true;
  }
}
