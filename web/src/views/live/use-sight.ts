import { type RefCallback, useCallback, useState } from 'react';
import type { Sight } from '../../store/use-store.ts';

/** How far outside the window a panel is drawn already, so that scrolling meets no old picture. */
const margin = '120px';

/** Follows whether an element is in sight. The ref goes on the element. */
export function useSight(): { readonly sight: Sight; readonly frameRef: RefCallback<HTMLElement> } {
  const [sight] = useState<Sight>(() => ({ isInSight: true, onEnter: undefined }));
  const frameRef = useCallback(
    (element: HTMLElement | null) => {
      if (element === null) return undefined;
      const observer = new IntersectionObserver(
        (entries) => {
          const isInSight = entries.at(-1)?.isIntersecting === true;
          const isEntering = isInSight && !sight.isInSight;
          sight.isInSight = isInSight;
          if (isEntering) sight.onEnter?.();
        },
        { rootMargin: margin },
      );
      observer.observe(element);
      return () => observer.disconnect();
    },
    [sight],
  );
  return { sight, frameRef };
}
