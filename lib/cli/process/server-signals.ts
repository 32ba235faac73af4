import type { Reload } from './reload.ts';

/**
 * Handles the signals that must not end a server. SIGHUP reopens the log and reads the settings again, also under nohup;
 * SIGUSR2 does nothing. The launcher already ignores SIGUSR1, on which Node would open a debugger port.
 */
export function heedSignals(reload: Reload): void {
  process.on('SIGHUP', () => void reload('SIGHUP'));
  process.on('SIGUSR2', () => {});
}
