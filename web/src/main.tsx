/** Puts the page together: the server's api, the store, the components. */
import { createRoot } from 'react-dom/client';
import { assert } from '@faultline/shared';
import { openFeed } from './api/feed.ts';
import { createComparisons } from './api/comparisons.ts';
import { createHttp } from './api/http.ts';
import { createRecordings } from './api/recordings.ts';
import { takeToken } from './api/token.ts';
import { exposeFaultline } from './expose.ts';
import { AppStore } from './store/app-store.ts';
import { CursorStore } from './store/cursor-store.ts';
import { PageStore } from './store/page-store.ts';
import { StoresContext } from './store/use-store.ts';
import './theme.css';
import './frame.css';
import './layout.css';
import './widgets.css';
import './charts.css';
import './tables.css';
import './path.css';
import './side-by-side.css';
import './lab.css';
import './probes.css';
import './sessions.css';
import './dialogs.css';
import './compare.css';
import './compare-charts.css';
import './matrix.css';
import { Page } from './views/page.tsx';

const token = takeToken(location, history, sessionStorage);
const page = new PageStore({
  search: () => location.search,
  replace: (search) => history.replaceState(history.state, '', `${location.pathname}${search}`),
  push: (search) => history.pushState(undefined, '', `${location.pathname}${search}`),
  onBack: (listener) => {
    addEventListener('popstate', listener);
    return () => removeEventListener('popstate', listener);
  },
  later: (run, afterMs) => void setTimeout(run, afterMs),
});
const app = new AppStore(
  {
    http: createHttp(token),
    recordings: createRecordings(token),
    comparisons: createComparisons(token),
    openFeed: (id, events) => openFeed({ id, token }, events),
    nowMs: () => Date.now(),
    every: (intervalMs, run) => {
      const timer = setInterval(run, intervalMs);
      return () => clearInterval(timer);
    },
    frames: { nextFrame: (run) => void requestAnimationFrame(run), nowMs: () => performance.now() },
    // A message posted while a frame is prepared is delivered after that frame's paint.
    afterPaint: (run) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener(
        'message',
        () => {
          port1.close();
          run();
        },
        { once: true },
      );
      port1.start();
      port2.postMessage(undefined);
    },
  },
  page,
);
const root = document.getElementById('page');
assert(root !== null, 'index.html has an element for the page');
app.start();
exposeFaultline(app);
createRoot(root).render(
  <StoresContext value={{ app, cursor: new CursorStore() }}>
    <Page />
  </StoresContext>,
);
