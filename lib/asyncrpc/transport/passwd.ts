import fs from 'node:fs';

/** A user as people call them: the name in /etc/passwd, otherwise the number. */
export function userName(uid: number): string {
  return fieldOf('/etc/passwd', (fields) => fields[2] === String(uid), 0) ?? `user ${uid}`;
}

/** The number of a group given by name or number; null when there is no group of that name. */
export function groupId(group: string): number | null {
  if (/^\d{1,10}$/.test(group)) return Number(group);
  const found = fieldOf('/etc/group', (fields) => fields[0] === group, 2);
  return found === null ? null : Number(found);
}

function fieldOf(file: string, wanted: (fields: readonly string[]) => boolean, field: number): string | null {
  try {
    for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
      const fields = line.split(':');
      if (wanted(fields)) return fields[field] ?? null;
    }
  } catch {
    // There is no such file on this system: numbers only.
  }
  return null;
}
