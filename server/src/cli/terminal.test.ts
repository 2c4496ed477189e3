import { expect, it } from 'vitest';
import { redraw } from './terminal.ts';

it('draws no line of progress wider than the screen: what is broken is not drawn over', () => {
  let drawn = '';
  const err = (text: string): void => void (drawn += text);
  redraw({ err, errColumns: 12 }, '3.1 s booting');
  redraw({ err, errColumns: 12 }, '3.1 s ready');
  expect(drawn).toBe('\r\u001b[K3.1 s boot…\r\u001b[K3.1 s ready');
});
