import { environmentName } from '../../settings/options.ts';
import { type Flags, type Settings, withoutRustSettings } from '../../settings/settings.ts';
import { loadSettings } from '../commands/load-settings.ts';
import type { AutoPlace } from './place.ts';

/** BitBake's variables for the upstreams of its own private servers. */
export const UPSTREAM_VARIABLES = {
  'hashserv-upstream': 'BB_HASHSERVE_UPSTREAM',
  'prserv-upstream': 'PRSERV_UPSTREAM',
} as const;

/**
 * The settings of the private server: those of `serve`, except what the build folder decides.
 * @param syncMode where none is set
 */
export async function privateSettings(
  place: AutoPlace,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  syncMode = 'on_shutdown',
): Promise<Settings> {
  const fixed = {
    // As objects: a path may hold commas.
    bind: [{ address: `unix://${place.socket}` }, { address: '127.0.0.1:0' }],
    'hashserv-db': `${place.dbFolder}/hashserv.db`,
    'prserv-db': `${place.dbFolder}/prserv.sqlite3`,
    hashserv: true,
    prserv: true,
    'figures-file': '-',
    // No configuration file unless one is named: the usual ones configure a shared server.
    config: flags.config ?? (environment[environmentName('config')] || null),
  };
  const withUpstreams = withoutRustSettings(environment);
  // Of the shared server that the machine's environment is for: a build's own must not fill with what others have.
  delete withUpstreams[environmentName('mirror')];
  for (const [option, variable] of Object.entries(UPSTREAM_VARIABLES)) {
    if (environment[variable]) withUpstreams[environmentName(option)] ||= environment[variable];
  }
  const { settings } = await loadSettings({ ...flags, ...fixed }, withUpstreams);
  const sync = settings.get('sync-mode')!;
  return new Map(settings).set('sync-mode', sync.where === null ? { ...sync, value: syncMode } : sync);
}
