import type { ProbeManifest } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { fakeTarget } from './fakes/fake-session.ts';
import { FakeTracing } from './fakes/fake-tracing.ts';
import { type Metrics, readOpenMetrics } from './fakes/read-openmetrics.ts';
import { evil, pushStackedTicks, stackedProbe, stackedSession } from './fakes/stacked-session.ts';
import { startApp } from './fakes/start-app.ts';

class StackedTracing extends FakeTracing {
  override sessionList = [
    stackedSession('one'),
    stackedSession('two', { ...fakeTarget, id: 'lab-6.1', title: '<b>"x"\n</b>', kind: 'guest' }),
  ];

  override probes(): readonly ProbeManifest[] {
    return [stackedProbe.manifest];
  }
}

async function scrape(url: string): Promise<{ readonly text: string; readonly metrics: Metrics }> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  const text = await answer.text();
  return { text, metrics: readOpenMetrics(text) };
}

describe('GET /metrics', () => {
  it('has the totals, losses and latencies of every target, and no process and no stack', async () => {
    const tracing = new StackedTracing();
    await using server = await startApp({ tracing });
    for (const session of tracing.sessionList) pushStackedTicks(session);
    const { text, metrics } = await scrape(server.url);
    for (const target of ['host', 'lab-6.1']) {
      const own = `target="${target}",stream="stacked"`;
      expect(metrics.samples.get(`faultline_busy_violations_total{${own},mode="mmap-read"}`)).toBe(8);
      expect(metrics.samples.get(`faultline_busy_wait_seconds_count{${own}}`)).toBe(5);
      const ledger = `target="${target}",probe="busy",stream="stacked",stage="lost"`;
      expect(metrics.samples.get(`faultline_ledger_events_total{${ledger}}`)).toBe(12);
    }
    // Bucket 20 holds 20 ns; bucket 200 ends at 49,152 ns.
    const bucket = (le: string): number | undefined =>
      metrics.samples.get(`faultline_busy_wait_seconds_bucket{target="host",stream="stacked",le="${le}"}`);
    expect([bucket('3.1e-8'), bucket('0.000032767'), bucket('0.000065535'), bucket('+Inf')]).toEqual([3, 3, 5, 5]);
    expect(text).not.toMatch(/HYPERLINK|remap_pfn_range|comm=|pid=/);
    expect(text).not.toContain(evil);
  });

  it('never counts down, and has the same buckets in every scrape', async () => {
    const tracing = new StackedTracing();
    await using server = await startApp({ tracing });
    const [session] = tracing.sessionList;
    if (session === undefined) throw new Error('there is a session');
    let before = (await scrape(server.url)).metrics;
    for (let round = 0; round < 3; round += 1) {
      pushStackedTicks(session);
      const { metrics } = await scrape(server.url);
      for (const [key, value] of before.samples) expect(metrics.samples.get(key) ?? -1).toBeGreaterThanOrEqual(value);
      if (round > 0) expect([...metrics.samples.keys()]).toEqual([...before.samples.keys()]);
      before = metrics;
    }
    expect(before.samples.get('faultline_busy_violations_total{target="host",stream="stacked",mode="mmap-read"}')).toBe(
      24,
    );
  });

  it('is for those only who may use the interface', async () => {
    await using server = await startApp({ access: { token: 'secret' } });
    const status = async (headers: Readonly<Record<string, string>>, path = '/metrics'): Promise<number> =>
      (await fetch(`${server.url}${path}`, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({}, '/%6detrics')).toBe(401);
    expect(await status({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ authorization: 'Bearer secret' })).toBe(200);
    expect(await status({ authorization: 'Bearer secret', 'sec-fetch-site': 'cross-site' })).toBe(403);
  });
});

describe('the reader of these tests', () => {
  it.each([
    ['no end', 'does not end', '# TYPE a counter\na_total 1\n'],
    ['two places', 'two places', '# TYPE a counter\na_total 1\n# TYPE b counter\nb_total 1\n# TYPE a counter\n# EOF\n'],
    ['a stranger', 'b_total among a', '# TYPE a counter\nb_total 1\n# EOF\n'],
    ['a counter without its suffix', 'a among a', '# TYPE a counter\na 1\n# EOF\n'],
    ['a label that is not closed', 'no sample', '# TYPE a counter\na_total{x="y} 1\n# EOF\n'],
    ['one sample twice', 'there twice', '# TYPE a counter\na_total 1\na_total 2\n# EOF\n'],
    [
      'buckets that go down',
      'out of order',
      '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_count 1\n# EOF\n',
    ],
    [
      'a count that is not its buckets',
      'not what its buckets hold',
      '# TYPE a histogram\na_bucket{x="y",le="+Inf"} 1\na_count{x="y"} 2\n# EOF\n',
    ],
    ['a unit that is not in the name', 'its unit', '# TYPE a counter\n# UNIT a seconds\na_total 1\n# EOF\n'],
  ])('refuses %s', (_, why, text) => {
    expect(() => readOpenMetrics(text)).toThrow(why);
  });
});
