/** The token that a server beyond loopback demands: it comes in the fragment, which no request and no log carries. */

const storageKey = 'faultline.token';

/** The token of this tab, taken out of the address bar; kept for reloads of this tab only. */
export function takeToken(location: Location, history: History, storage: Storage): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  if (token !== null && token !== '') {
    storage.setItem(storageKey, token);
    history.replaceState(history.state, '', `${location.pathname}${location.search}`);
    return token;
  }
  return storage.getItem(storageKey) ?? undefined;
}
