import { checkConfig } from '../../server.ts';
import { configOf } from '../../settings/config.ts';
import { settingsSchema } from '../../settings/schema.ts';
import type { Setting } from '../../settings/settings.ts';
import type { ServerCall } from './call.ts';
import { type Loaded, loadSettings } from './load-settings.ts';

const ACTIONS: Readonly<Record<string, (loaded: Loaded, json: boolean) => string>> = { check, print };

/** `bakeserv config`: checks or shows settings without starting anything. */
export async function run({ args, flags }: ServerCall): Promise<number> {
  const action = args.need('ACTION');
  if (action === 'schema') {
    process.stdout.write(`${JSON.stringify(settingsSchema(), null, 2)}
`);
    return 0;
  }
  const loaded = await loadSettings(flags, process.env);
  const config = configOf(loaded.settings);
  const ahead = action === 'check' ? await checkConfig(config, { inherited: false, ahead: true }) : [];
  for (const warning of [...loaded.warnings, ...ahead]) process.stderr.write(`bakeserv: warning: ${warning}\n`);
  process.stdout.write(ACTIONS[action]!(loaded, config.json));
  return 0;
}

function check({ file }: Loaded, json: boolean): string {
  const path = file?.path ?? null;
  return json ? `${JSON.stringify({ ok: true, file: path })}\n` : `ok: ${path ?? 'no configuration file'}\n`;
}

/** As a configuration file that could be used again, except for the secrets. */
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
