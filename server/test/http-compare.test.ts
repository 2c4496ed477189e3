/** Comparisons over HTTP, of sessions that were really recorded on 6.1 and 6.12. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  candidatesOf,
  type ComparableSession,
  type ComparisonAnswer,
  ComparisonAnswerSchema,
  DifferenceHeatAnswerSchema,
  readAnswer,
} from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importSession } from '../src/sessions/import-session.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { readPerfetto } from './fakes/perfetto-schema.ts';
import { openTempStore, type TempStore } from './fakes/temp-store.ts';

let temp: TempStore;
let server: StartedApp;
const ids: { readonly kernel: string; readonly id: string }[] = [];

beforeAll(async () => {
  temp = await openTempStore();
  const { library } = temp.store;
  for (const kernel of ['6.1', '6.12']) {
    for (const run of ['1', '2']) {
      const path = fileURLToPath(new URL(`fixtures/compare/${kernel}-${run}.tar.gz`, import.meta.url));
      const imported = await importSession(library, path);
      if (!imported.ok) throw new Error(imported.error.message);
      ids.push({ kernel, id: imported.value.id });
    }
  }
  server = await startApp({ library });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

function idsOf(wanted: string): readonly string[] {
  return ids.filter(({ kernel }) => kernel === wanted).map(({ id }) => id);
}

async function ask(query: string): Promise<Response> {
  return fetch(`${server.url}/api/v1/compare?${query}`);
}

async function compared(query: string): Promise<ComparisonAnswer> {
  const answer = await ask(query);
  expect(answer.status).toBe(200);
  const read = readAnswer(ComparisonAnswerSchema, await answer.json());
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

function exactly(answer: ComparisonAnswer, id: string): unknown {
  return answer.comparison.candidates[0]?.metrics.find(({ metric }) => metric.id === id)?.test;
}

describe('comparisons over HTTP', () => {
  it('name the sessions that can be compared, with their builds and workloads', async () => {
    const answer = await fetch(`${server.url}/api/v1/comparable`);
    const sessions = (await answer.json()) as ComparableSession[];
    expect(sessions.map(({ build, workload }) => `${build} ${String(workload)}`).toSorted()).toEqual(
      ['6.1', '6.1', '6.12', '6.12'].map((build) => `${build} dma-map`),
    );
    expect(sessions[0]?.probes).toContain('vfio-fault');
  });

  it('give the same by builds, by ids with commas, and of the baseline by ids one by one', async () => {
    const [old, young] = [idsOf('6.1'), idsOf('6.12')];
    const byBuild = await compared('baseline=build:6.1&candidate=build:6.12,workload:dma-map');
    expect(byBuild.baseline.runs.map(({ id }) => id).toSorted()).toEqual(old.toSorted());
    expect(await compared(`baseline=${old.join(',')}&candidate=${young.join(',')}`)).toEqual(byBuild);
    const oneByOne = old.map((id) => `baseline=${id}`).join('&');
    expect(await compared(`${oneByOne}&candidate=${young.join(',')}`)).toEqual(byBuild);
  });

  it('count what the kernels did: faults and violations exactly, eras, paths and stacks', async () => {
    const answer = await compared('baseline=build:6.1&candidate=build:6.12');
    expect([answer.baseline.era, answer.candidate.era]).toEqual(['a', 'd']);
    expect(exactly(answer, 'faults')).toEqual({ kind: 'exact', from: 1, to: 32 });
    expect(exactly(answer, 'violations')).toEqual({ kind: 'exact', from: 1, to: 0 });
    const node = answer.candidate.path?.nodes.find(({ id }) => id === 'handler');
    // Of one run, though the side has two.
    expect(node).toMatchObject({ name: 'vfio_pci_mmap_huge_fault', total: 32 });
    expect(answer.baseline.path?.nodes.find(({ id }) => id === 'remap')).toMatchObject({ total: 1, violations: 1 });
    // Of all runs.
    expect(answer.baseline.assertion.violations).toMatchObject([{ count: 2 }]);
    expect(answer.baseline.assertion.violations[0]?.stack).toContain('fixup_user_fault');
    expect(answer.candidate.assertion.violations).toEqual([]);
  });

  it('mirror when sides are swapped', async () => {
    const answer = await compared('baseline=build:6.12&candidate=build:6.1');
    expect(exactly(answer, 'faults')).toEqual({ kind: 'exact', from: 32, to: 1 });
    expect(answer.comparison.verdict).toBe('regressed');
    expect(answer.comparison.candidates[0]?.findings.join()).toContain('none in the baseline');
  });

  it('tell two sides of one build apart', async () => {
    const [first = '', second = ''] = idsOf('6.1');
    const answer = await compared(`baseline=${first}&candidate=${second}`);
    expect(answer.baseline.title).not.toBe(answer.candidate.title);
    expect(answer.comparison.verdict).toBe('need-more-runs');
  });

  it('judge by the metrics and the margin that are asked for', async () => {
    const answer = await compared('baseline=build:6.1&candidate=build:6.12&metric=violations&margin=5');
    expect(answer.comparison.candidates[0]?.metrics.map(({ metric }) => metric.id)).toEqual(['violations']);
    expect(answer.comparison.thresholds.marginShare).toBe(0.05);
    expect(answer.comparison.verdict).toBe('improved');
  });

  it('take many candidates: each has its own figures, and the first is where it was', async () => {
    const [first = '', second = ''] = idsOf('6.1');
    const answer = await compared(`baseline=${first}&candidate=build:6.12&candidate=${second}`);
    expect(answer.comparison.candidates.map(({ title }) => title)).toEqual(['6.12', '6.1 (candidate 2)']);
    expect(answer.baseline.title).toBe('6.1 (baseline)');
    expect(candidatesOf(answer).map(({ view, compared: own }) => [view.title === own.title, view.runs.length])).toEqual(
      [
        [true, 2],
        [true, 1],
      ],
    );
    expect(answer.candidate.era).toBe('d');
    expect(answer.furtherCandidates?.[0]?.assertion.violations).toMatchObject([{ count: 1 }]);
    const one = await compared(`baseline=${first}&candidate=build:6.12`);
    expect(one.furtherCandidates).toBeUndefined();
  });

  it('say where in time and latency the faults of a mean run differ, and lose none of them', async () => {
    const answer = await fetch(`${server.url}/api/v1/compare/heat?baseline=build:6.1&candidate=build:6.12`);
    const read = readAnswer(DifferenceHeatAnswerSchema, await answer.json());
    if (!read.ok || !('heat' in read.value)) throw new Error('there is a heatmap');
    const { cells, peak } = read.value.heat;
    const sum = (side: 'baseline' | 'candidate'): number => cells.reduce((all, cell) => all + cell[side], 0);
    expect([sum('baseline'), sum('candidate')]).toEqual([1, 32]);
    expect(peak).toBe(Math.max(...cells.map(({ baseline, candidate }) => Math.abs(candidate - baseline))));
    const wrong = await fetch(`${server.url}/api/v1/compare/heat?baseline=build:6.1&candidate=/etc`);
    expect(wrong.status).toBe(400);
  });

  it('read the journals of a heatmap once, and again where another one stands there', async () => {
    const url = `${server.url}/api/v1/compare/heat?baseline=build:6.1&candidate=build:6.12`;
    const heat = async (): Promise<unknown> => (await fetch(url)).json();
    const journals = idsOf('6.12').map((id) => join(temp.folder, id, 'journal.jsonl'));
    const kept = journals.map((path) => [path, readFileSync(path)] as const);
    for (const [path] of kept) utimesSync(path, 1_000, 1_000);
    const first = await heat();
    // Of the same length and time, and nobody could read them.
    for (const [path, bytes] of kept) {
      writeFileSync(path, ' '.repeat(bytes.length));
      utimesSync(path, 1_000, 1_000);
    }
    const again = await heat();
    for (const [path] of kept) utimesSync(path, 2_000, 2_000);
    const changed = await heat();
    for (const [path, bytes] of kept) writeFileSync(path, bytes);
    expect(again).toEqual(first);
    expect(changed).not.toEqual(first);
    expect(await heat()).toEqual(first);
  });

  it('print many candidates on one table of 72 columns, then one by one', async () => {
    const text = await (await ask('baseline=build:6.1&candidate=build:6.12&candidate=build:6.12&format=text')).text();
    expect(text).toMatch(/^2 candidates against 6\.1: /);
    expect(text).toMatch(/^metric +6\.1 +6\.12 \(ca…te 1\) +6\.12 \(ca…te 2\)$/m);
    expect(text).toMatch(/^Faults +1 +32 ▲ +32 ▲$/m);
    expect(text).toMatch(/^Faults +1 +32 +1 → 32 +regressed$/m);
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(72);
  });

  it('are a Perfetto trace of all runs too', async () => {
    const answer = await ask('baseline=build:6.1&candidate=build:6.12&format=perfetto');
    expect(answer.headers.get('content-type')).toBe('application/vnd.google.protobuf');
    expect(answer.headers.get('content-disposition')).toContain('faultline-comparison.pftrace');
    const packets = readPerfetto(new Uint8Array(await answer.arrayBuffer()));
    const processes = packets.flatMap(({ process }) => (process === undefined ? [] : [process]));
    expect(processes.map((one) => one.process_name.replace(/run .*/, ''))).toEqual([
      ...['baseline 6.1, ', 'baseline 6.1, '],
      ...['candidate 6.12, ', 'candidate 6.12, '],
    ]);
    // Runs of some seconds, whatever the clocks of their kernels said.
    expect(Math.max(...packets.map(({ atNs = 0 }) => atNs))).toBeLessThan(60e9);
  });

  it.each([
    ['text', 'text/plain', /^6\.12 against 6\.1: /],
    ['markdown', 'text/markdown', /^\*\*6\.12/],
    ['csv', 'text/csv', /^baseline,candidate,metric/],
    ['benchstat', 'text/plain', /^build: 6\.1/],
    ['html', 'text/html', /^<!doctype html>/],
  ])('are %s too, for download', async (format, contentType, beginning) => {
    const answer = await ask(`baseline=build:6.1&candidate=build:6.12&format=${format}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain(contentType);
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="faultline-comparison\./);
    const text = await answer.text();
    expect(text).toMatch(beginning);
    if (format === 'text') expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(72);
    if (format === 'html') expect(text).not.toMatch(/<script|(?:src|href)=|url\(/i);
  });

  it.each([
    ['baseline=/etc&candidate=build:6.1', 400, 'neither the id'],
    ['baseline=..&candidate=build:6.1', 400, 'neither the id'],
    ['baseline=build:/../../etc&candidate=build:6.1', 404, 'no closed session'],
    ['baseline=build:9.9&candidate=build:6.1', 404, 'no closed session'],
    ['baseline=colour:red&candidate=build:6.1', 404, 'selects nothing'],
    ['baseline=build:6.1', 400, 'candidate'],
    [`baseline=build:6.1${'&candidate=build:6.12'.repeat(8)}`, 400, '8 candidates are too many'],
    ['baseline=build:6.1&candidate=build:6.12&metric=bogus', 400, 'no metric'],
    ['baseline=build:6.1&candidate=build:6.12&format=pdf', 400, 'format'],
    ['baseline=build:6.1&candidate=build:6.12&colour=red', 400, 'colour'],
  ])('refuse %s', async (query, status, words) => {
    const answer = await ask(query);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(words);
  });
});
