import fs from 'node:fs';
import path from 'node:path';

/** A name where it is declared. */
interface Place {
  readonly file: string;
  readonly name: string;
}

/** One declaration file: what it declares, and where the other names in it come from. */
interface Declarations {
  readonly texts: ReadonlyMap<string, string>;
  readonly imports: ReadonlyMap<string, Place>;
  readonly reexports: ReadonlyMap<string, Place>;
}

const DECLARED =
  /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|const|function|enum) (\w+)[\s\S]*?(?=^(?:export|declare|import|interface|type|class|const) |$(?![\s\S]))/gm;

function read(file: string): Declarations {
  const text = fs.readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const listed = (keyword: 'import' | 'export') => {
    const found = new Map<string, Place>();
    const lists = text.matchAll(new RegExp(`^${keyword} (?:type )?\\{([^}]*)\\} from '(\\.[^']*)';`, 'gm'));
    for (const [, names, from] of lists) {
      const target = path.resolve(path.dirname(file), from!).replace(/\.(js|ts)$/, '.d.ts');
      for (const each of names!.split(',').map((name) => name.trim().replace(/^type /, ''))) {
        const [name, as = name] = each.split(' as ');
        if (name) found.set(as!, { file: target, name });
      }
    }
    return found;
  };
  const texts = new Map<string, string>();
  for (const [declaration, name] of text.matchAll(DECLARED)) texts.set(name!, (texts.get(name!) ?? '') + declaration);
  return { texts, imports: listed('import'), reexports: listed('export') };
}

/** The file that declares a name, past those that pass it on. */
function origin({ file, name }: Place): Place {
  const { reexports, imports, texts } = read(file);
  const from = reexports.get(name) ?? (texts.has(name) ? undefined : imports.get(name));
  return from ? origin(from) : { file, name };
}

/** The names an entry exports. */
export function namesOf(entry: string): readonly string[] {
  return [...read(entry).reexports.keys()];
}

/** What declarations that an entry exports name in turn, of this package, and the entry does not export. */
export function hiddenTypes(entry: string): readonly string[] {
  const key = ({ file, name }: Place) => `${path.relative(path.dirname(entry), file)}: ${name}`;
  const exported = [...read(entry).reexports.values()].map(origin);
  const known = new Set(exported.map(key));
  const hidden = new Set<string>();
  for (const place of exported) {
    const { texts, imports } = read(place.file);
    const text = texts.get(place.name);
    if (text === undefined) throw new Error(`${key(place)} is not declared where it should be`);
    // A property of the same name as a type is not a use of it.
    for (const [word] of text.replaceAll(/\b\w+\??:/g, '').matchAll(/\b\w+\b/g)) {
      const from = imports.get(word) ?? (texts.has(word) ? { file: place.file, name: word } : null);
      if (from && !known.has(key(origin(from)))) hidden.add(`${place.name} names ${word}`);
    }
  }
  return [...hidden];
}
