import { ConfigError } from '../../errors.ts';

const PASSTHROUGH = 'BB_ENV_PASSTHROUGH_ADDITIONS';

/** The variables, plus the one that lets BitBake take them from its environment, extended by their names. */
export function withPassthrough(
  values: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const passed = new Set((environment[PASSTHROUGH] ?? '').split(/\s+/).filter(Boolean));
  for (const name of Object.keys(values)) passed.add(name);
  return { ...values, [PASSTHROUGH]: [...passed].join(' ') };
}

/** Lines for `eval "$(…)"` in a shell, quoted so that no character of a path is special. */
export function shellLines(values: Readonly<Record<string, string>>): string {
  return lines(values, (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`);
}

/**
 * Lines for local.conf.
 * @throws ConfigError for a value that BitBake's files cannot express
 */
export function confLines(values: Readonly<Record<string, string>>): string {
  return lines(values, (name, value) => {
    // BitBake has two kinds of quotes, no escapes, and expands `${`.
    const quote = ['"', "'"].find((each) => !value.includes(each));
    if (quote === undefined || value.includes('${') || /[\n\\]$/.test(value))
      throw new ConfigError(
        `${name}: ${JSON.stringify(value)} cannot stand in local.conf; use a folder of another name`,
      );
    return `${name} = ${quote}${value}${quote}`;
  });
}

function lines(values: Readonly<Record<string, string>>, line: (name: string, value: string) => string): string {
  return Object.entries(values)
    .map(([name, value]) => `${line(name, value)}\n`)
    .join('');
}
