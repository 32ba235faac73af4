import { useEffect, useState } from 'preact/hooks';
import { parseRoute, type Route } from '../route.ts';

/** Where the reader is; follows the address bar, links and the back button. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return route;
}

/** Goes to an address of the page. With `replace` the back button does not come by here again. */
export function goTo(hash: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) location.replace(hash);
  else location.hash = hash;
}
