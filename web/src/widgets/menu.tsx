import { type ReactNode, useId, useRef, useState } from 'react';
import { Button } from './button.tsx';
import type { IconName } from './icon.tsx';

/** One thing that can be done; a heading where there is nothing to do. */
export type MenuItem =
  | { readonly kind: 'action'; readonly label: string; readonly hint?: string; readonly onPick: () => void }
  | { readonly kind: 'heading'; readonly label: string };

type Props = {
  readonly label: string;
  readonly icon?: IconName;
  readonly look?: 'plain' | 'icon';
  /** Asked for when the menu is opened. */
  readonly items: () => readonly MenuItem[];
};

/** Room that is kept to the window's edges, px. */
const edge = 8;

/** A button that opens a list of things to do, above everything else; Escape and a press elsewhere close it. */
export function Menu({ label, icon, look = 'plain', items }: Props): ReactNode {
  const id = useId();
  const ref = useRef<HTMLDivElement>(null);
  const anchorRef = useRef<HTMLSpanElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  const open = (): void => {
    ref.current?.togglePopover();
  };
  const place = (): void => {
    const [menu, anchor] = [ref.current, anchorRef.current?.getBoundingClientRect()];
    if (menu === null || anchor === undefined) return;
    const { width, height } = menu.getBoundingClientRect();
    const isBelow = anchor.bottom + height + edge < innerHeight;
    menu.style.left = `${Math.max(edge, Math.min(anchor.right - width, innerWidth - width - edge))}px`;
    menu.style.top = `${isBelow ? anchor.bottom + 2 : Math.max(edge, anchor.top - height - 2)}px`;
    menu.querySelector('button')?.focus();
  };
  return (
    <span ref={anchorRef} className="menu-anchor">
      <Button look={look} label={label} {...(icon === undefined ? {} : { icon })} onClick={open} isPressed={isOpen} />
      <div
        ref={ref}
        id={id}
        popover="auto"
        className="menu"
        onToggle={(event) => {
          setIsOpen(event.newState === 'open');
          if (event.newState === 'open') requestAnimationFrame(place);
        }}
      >
        {isOpen
          ? items().map((item) => (
              <Item key={`${item.kind} ${item.label}`} item={item} onDone={() => ref.current?.hidePopover()} />
            ))
          : null}
      </div>
    </span>
  );
}

function Item({ item, onDone }: { readonly item: MenuItem; readonly onDone: () => void }): ReactNode {
  if (item.kind === 'heading') return <p className="menu-heading">{item.label}</p>;
  const pick = (): void => {
    onDone();
    item.onPick();
  };
  return (
    <button type="button" className="menu-item" title={item.hint} onClick={pick}>
      {item.label}
    </button>
  );
}
