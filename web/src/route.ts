/** What the address bar says behind its `#`: a path, and parameters. */
export interface Route {
  /** The first part of the path: which view. */
  readonly view: string;
  /** What follows: which job, which package. */
  readonly rest: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

const HOME: Route = { view: 'overview', rest: [], query: {} };

/** Reads a hash such as `#/jobs/17?service=prserv`. What is no address of the page is its first view. */
export function parseRoute(hash: string): Route {
  if (!hash.startsWith('#/')) return HOME;
  const [path = '', search = ''] = split(hash.slice(2), '?');
  const parts = path.split('/').map(decode);
  if (parts.includes(null)) return HOME;
  const [view, ...rest] = parts as string[];
  if (!view) return HOME;
  return {
    view,
    rest: rest.filter((each) => each !== ''),
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/** The address of a view, for a link. Parameters that are null or empty are left out. */
export function address(
  path: readonly (string | number)[],
  query: Readonly<Record<string, string | number | null | undefined>> = {},
): string {
  const given = Object.entries(query).filter(([, value]) => value != null && value !== '');
  const search = new URLSearchParams(
    Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
  ).toString();
  return `#/${path.map((each) => encode(String(each))).join('/')}${search && `?${search}`}`;
}

function split(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** A half of a character has no place in an address; it is looked for as what it is shown as. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
