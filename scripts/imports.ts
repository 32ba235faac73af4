/** One import of one file. `target` is a path from the root, or a package's name; `typeOnly` imports are gone at run time. */
export interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
  /** Loaded by a call, when that is made. */
  readonly isCall: boolean;
}

/** Statements `import … from`, `export … from` and calls of import() in the text of a file. */
export function importsOf(file: string, source: string): Import[] {
  const found: Import[] = [];
  const statement = /^(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  for (const match of source.matchAll(statement)) {
    const name = match[1] ?? match[2]!;
    const target = name.startsWith('.') ? join(file, name) : name;
    const named = /\{([^}]*)\}/
      .exec(match[0])?.[1]
      ?.split(',')
      .map((each) => each.trim())
      .filter(Boolean);
    const typeOnly =
      /^(?:import|export) type\s/.test(match[0]) ||
      (!!named?.length && named.every((each) => each.startsWith('type ')));
    found.push({ file, target, typeOnly, isCall: match[2] !== undefined });
  }
  return found;
}

function join(file: string, relative: string): string {
  const parts = file.split('/').slice(0, -1);
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/**
 * The circles among files that import each other, types included: each a sorted list of at least two files
 * (Tarjan's strongly connected components).
 */
export function circlesOf(imports: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { file, target } of imports) targets.set(file, [...(targets.get(file) ?? []), target]);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];

  function visit(file: string): void {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    open.push(file);
    for (const target of targets.get(file) ?? []) {
      if (!targets.has(target)) continue;
      if (!order.has(target)) visit(target);
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  }

  for (const file of targets.keys()) if (!order.has(file)) visit(file);
  return circles;
}
