import type { ReactNode } from 'react';
import { type PageName, type ThemeName, noSession, pageNames, themeNames } from '../../store/page-state.ts';
import { usePage, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import type { IconName } from '../../widgets/icon.tsx';

const pageTitles: Readonly<Record<PageName, string>> = {
  live: 'Live',
  sessions: 'Sessions',
  compare: 'Compare',
  probes: 'Probes',
  lab: 'Lab',
};
const themeIcons: Readonly<Record<ThemeName, IconName>> = { system: 'system', light: 'sun', dark: 'moon' };

/** First line: where one is and where one can go. */
export function BrandLine(): ReactNode {
  const { app } = useStores();
  const page = usePage();
  const nextTheme = themeNames[(themeNames.indexOf(page.theme) + 1) % themeNames.length] ?? 'system';
  return (
    <div className="brand-line">
      <span className="brand">Faultline</span>
      <nav aria-label="pages">
        {pageNames.map((name, index) => (
          <button
            key={name}
            type="button"
            className="nav-item"
            aria-current={page.page === name ? 'page' : undefined}
            title={`key ${index + 1}`}
            onClick={() => app.page.set({ page: name, ...noSession })}
          >
            {pageTitles[name]}
          </button>
        ))}
      </nav>
      <div className="brand-tools">
        <Button look="icon" icon="help" label="Keys (?)" onClick={() => app.page.set({ isHelpOpen: true })} />
        <Button
          look="icon"
          icon={themeIcons[page.theme]}
          label={`Theme: ${page.theme}; switch to ${nextTheme}`}
          onClick={() => app.page.set({ theme: nextTheme })}
        />
      </div>
    </div>
  );
}
