/** Whether a setting names a PostgreSQL database, rather than a file. */
export function isPostgresAddress(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text);
}

/** A user and a password as they must be written. */
const WRITTEN_WELL = /^([a-z]+:\/\/[^:@/?]*):[^@/?]*@(?=[^@?]*(?:\?[^=@]*=|$))/i;
/** With characters in the password that should have been percent-encoded: whatever comes before the last `@` may be of it. A port is none. */
const WRITTEN_ILL = /^([a-z]+:\/\/[^:@/?[]*):(?!\d+(?:[,/?]|$)).*@/is;

/** A database address as anybody may see it, also one that cannot be read. */
export function withoutPassword(address: string): string {
  const shown = WRITTEN_WELL.test(address)
    ? address.replace(WRITTEN_WELL, '$1:…@')
    : address.replace(WRITTEN_ILL, '$1:…@');
  return shown.replaceAll(/([?&])([^=&]*)=[^&]*/g, (parameter, before: string, name: string) =>
    isPasswordName(name) ? `${before}${name}=…` : parameter,
  );
}

/** Whether a password stands in an address so that something else would be read of it. */
export function hasIllWrittenPassword(address: string): boolean {
  return !WRITTEN_WELL.test(address) && WRITTEN_ILL.test(address);
}

function isPasswordName(name: string): boolean {
  const [[read = ''] = []] = [...new URLSearchParams(`${name}=`)];
  return /password$/i.test(read);
}
