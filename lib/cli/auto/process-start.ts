import fs from 'node:fs';

/**
 * Distinguishes a process from a later one with the same number: its start time, where /proc has it (field 22 of
 * proc_pid_stat(5)); null when there is no such process, or it is a zombie.
 */
export function processStart(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19]!;
  } catch {
    return fs.existsSync('/proc/self/stat') ? null : answersSignals(pid);
  }
}

function answersSignals(pid: number): string | null {
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : null;
  }
}
