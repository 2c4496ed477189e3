import type { ReactNode } from 'react';

const paths = {
  table: 'M2 3h12v10H2zM2 6.3h12M2 9.6h12M6 3v10',
  chart: 'M2 13h12M3 10l3-4l3 2.5L13 3',
  copy: 'M5 5V2.5h8.5V11H11M2.5 5H11v8.5H2.5z',
  pause: 'M5 3v10M11 3v10',
  play: 'M4.5 2.8v10.4L13 8z',
  stop: 'M3.5 3.5h9v9h-9z',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  sun: 'M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3.05 3.05l1.1 1.1M11.85 11.85l1.1 1.1M3.05 12.95l1.1-1.1M11.85 4.15l1.1-1.1',
  moon: 'M13.5 9.8A6 6 0 1 1 6.2 2.5a4.8 4.8 0 0 0 7.3 7.3z',
  system: 'M2 3h12v8H2zM6 13.5h4M8 11v2.5',
  help: 'M5.6 5.8a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2.9-1.2 1.9M8 12.2v.3',
  swap: 'M3 5.5h9M9.5 3L12 5.5L9.5 8M13 10.5H4M6.5 8L4 10.5L6.5 13',
  up: 'M8 13V3M4 7l4-4l4 4',
  down: 'M4 6l4 4l4-4',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  pin: 'M5.5 2.5h5M6.5 2.5v4l-2 2.5h7l-2-2.5v-4M8 9v4.5',
  flag: 'M4 14V2.5M4 3h8l-2 2.8l2 2.7H4',
} as const;

/** The drawings there are. */
export type IconName = keyof typeof paths;

/** A drawing beside or instead of a word; the word is always there for those who listen. */
export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <svg
      className="icon"
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
