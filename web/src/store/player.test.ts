import { expect, test } from 'vitest';
import { PageStore } from './page-store.ts';
import { Player } from './player.ts';

const ends = { firstMs: 0, lastMs: 60_000 };

function open(search: string): { readonly page: PageStore; readonly player: Player } {
  const bar = {
    search: () => `?page=sessions&session=one&${search}`,
    replace: () => undefined,
    push: () => undefined,
    onBack: () => () => undefined,
    later: () => undefined,
  };
  const page = new PageStore(bar);
  return { page, player: new Player(page, () => ends) };
}

test('moves the end of the brush by the time that goes by, times the speed', () => {
  const { page, player } = open('from=5000&to=10000&speed=4');
  player.play(1_000);
  player.step(1_100);
  player.step(1_500);
  expect(page.get()).toMatchObject({ fromMs: 5_000, toMs: 12_000 });
  player.pause();
  expect(player.step(9_000)).toBe(false);
  expect(page.get().toMs).toBe(12_000);
});

test('begins anew where the brush is at the end, and stands still when it comes there', () => {
  const { page, player } = open('from=50000&speed=64');
  player.play(0);
  expect(page.get()).toMatchObject({ fromMs: 50_000, toMs: 51_000 });
  player.step(10_000);
  expect(page.get().toMs).toBe(60_000);
  expect(player.isPlaying).toBe(false);
});

test('stops when another session or another page is looked at', () => {
  const { page, player } = open('to=2000');
  player.play(0);
  page.set({ page: 'live', session: undefined });
  expect(player.step(1_000)).toBe(false);
  expect(page.get().toMs).toBe(2_000);
});
