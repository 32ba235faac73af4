import { configOf } from '../config.ts';
import { checkConfig } from '../server.ts';
import { settingsSchema } from '../settings/schema.ts';
import { CONFIG_OPTION, SERVE_OPTIONS } from '../settings/serve-options.ts';
import type { Setting } from '../settings/settings.ts';
import { type Loaded, loadSettings } from './load-settings.ts';
import { UsageError, unknownCommand } from './main.ts';
import { parseFlags } from './options.ts';

const ACTIONS: Readonly<Record<string, (loaded: Loaded, json: boolean) => string>> = { check, print };

const USAGE = `bakeserv config check|print|schema [options of serve]

check   makes every check of 'bakeserv serve' short of opening the databases and listening
print   shows every option, its value, and where that was set; secrets are masked
schema  prints the JSON Schema of the configuration file, for editors`;

const EXAMPLES = [
  ['bakeserv config check --config /etc/bakeserv/bakeserv.yaml', 'before a restart'],
  ['bakeserv config print | grep -v "# default"', 'what was changed, and by whom'],
] as const;

/** `bakeserv config`: looks at settings without starting anything. */
export async function run(args: readonly string[]): Promise<number> {
  const [action, ...rest] = args;
  if (action === 'schema' && rest.length === 0) {
    process.stdout.write(`${JSON.stringify(settingsSchema(), null, 2)}\n`);
    return 0;
  }
  const act = Object.hasOwn(ACTIONS, action ?? '') ? ACTIONS[action!]! : null;
  if (!act && action && !action.startsWith('-'))
    throw new UsageError(unknownCommand(action, { ...ACTIONS, schema: 0 }));
  const flags = await parseFlags(USAGE, [CONFIG_OPTION, ...SERVE_OPTIONS], act ? rest : args, EXAMPLES);
  if (!flags) return 0;
  if (!act) throw new UsageError('config: name what to do: check, print or schema');
  const loaded = await loadSettings(flags, process.env);
  const config = configOf(loaded.settings);
  if (action === 'check') await checkConfig(config);
  for (const warning of loaded.warnings) process.stderr.write(`bakeserv: warning: ${warning}\n`);
  process.stdout.write(act(loaded, config.json));
  return 0;
}

function check({ file }: Loaded, json: boolean): string {
  const path = file?.path ?? null;
  return json ? `${JSON.stringify({ ok: true, file: path })}\n` : `ok: ${path ?? 'no configuration file'}\n`;
}

/** As a configuration file that could be used again, but for the secrets. */
function print({ settings }: Loaded, json: boolean): string {
  const all = [...settings.values()].map((setting) => ({ ...setting, value: shown(setting) }));
  if (json) {
    const entries = all.map(({ option, value, where }) => [option.name, { value: value ?? null, where }]);
    return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
  }
  const lines = all.map(({ option, value, where }) => {
    if (value === undefined) return `# ${option.name} is not set`;
    return `${option.name}: ${JSON.stringify(value)}  # ${where ?? 'default'}`;
  });
  return `${lines.join('\n')}\n`;
}

function shown({ option, value }: Setting): Setting['value'] {
  return option.secret && value !== undefined ? '…' : value;
}
