import { formatAddress } from '../../asyncrpc/transport/address.ts';
import { checkConfig } from '../../server.ts';
import { type Config, configOf } from '../../settings/config.ts';
import { withoutPassword } from '../../settings/database-address.ts';
import { reportOf, tellReport } from '../../settings/rights.ts';
import { settingsSchema } from '../../settings/schema.ts';
import type { Setting } from '../../settings/settings.ts';
import type { ServerCall } from './call.ts';
import { type Loaded, loadSettings } from './load-settings.ts';

const ACTIONS: Readonly<Record<string, (loaded: Loaded, config: Config) => string>> = { check, print };

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
  process.stdout.write(ACTIONS[action]!(loaded, config));
  return 0;
}

/** What each listener would let its clients do is part of the answer: it is what settings are most often wrong about. */
function check({ file }: Loaded, config: Config): string {
  const path = file?.path ?? null;
  const listeners = config.binds.map((bind) => ({ address: formatAddress(bind.address), ...reportOf(config, bind) }));
  if (config.json) return `${JSON.stringify({ ok: true, file: path, listeners })}\n`;
  const lines = listeners.map((listener) => `${listener.address}: ${tellReport(listener)}`);
  return `${[`ok: ${path ?? 'no configuration file'}`, ...lines].join('\n')}\n`;
}

/** As a configuration file that could be used again, except for the secrets. */
function print({ settings }: Loaded, { json }: Config): string {
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
  if (option.secret && value !== undefined) return '…';
  return typeof value === 'string' ? withoutPassword(value) : value;
}
