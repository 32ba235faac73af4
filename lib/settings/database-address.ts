/** Whether a setting names a PostgreSQL database, rather than a file. */
export function isPostgresAddress(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text);
}

/** A database address as anybody may see it. */
export function withoutPassword(address: string): string {
  return address.replace(/^([a-z]+:\/\/[^@/?]*?):[^@/?]*@/, '$1:…@').replace(/([?&]password=)[^&]*/, '$1…');
}
