import { type ConfigFile, loadConfigFile } from '../../settings/config-file.ts';
import { environmentName } from '../../settings/options.ts';
import { CONFIG_OPTION } from '../../settings/serve-options.ts';
import { type Flags, resolveSettings, type Settings, unknownVariables } from '../../settings/settings.ts';

/** The settings of a command, from all sources. */
export interface Loaded {
  readonly settings: Settings;
  readonly file: ConfigFile | null;
  /** Warnings: not wrong, but probably not intended. */
  readonly warnings: readonly string[];
}

/**
 * Finds and reads the configuration file (none when the flag `config` is null), and merges flags, environment and file.
 * @throws ConfigError
 */
export async function loadSettings(flags: Flags, environment: NodeJS.ProcessEnv): Promise<Loaded> {
  const flag = flags[CONFIG_OPTION.name] as string | null | undefined;
  const named = flag === undefined ? environment[environmentName(CONFIG_OPTION.name)] || undefined : flag;
  const file = named === null ? null : await loadConfigFile(named);
  return { settings: resolveSettings(flags, environment, file), file, warnings: unknownVariables(environment) };
}
