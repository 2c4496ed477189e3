/** The totals of a session as OpenMetrics text, as a monitor would have scraped them at its end. */
import { Exposition } from './exposition.ts';
import type { ExportSource } from './source.ts';

/** One exposition, with its end mark. */
export async function* exportOpenMetrics(source: ExportSource): AsyncGenerator<string> {
  const { manifest } = source;
  const { release = '', machine = '', hostname = '' } = manifest.target.identity ?? {};
  const exposition = new Exposition();
  exposition.addInfo('faultline_session', 'The recorded session these totals are of.', {
    session: manifest.id,
    kernel: release,
    machine,
    host: hostname,
    version: manifest.faultline,
  });
  const figures = await source.figures();
  for (const [index, run] of figures.runs.entries()) {
    const { view, stream } = run.run;
    const { cells, totals } = run.totalsOf(index);
    exposition.addRun({ labels: {}, probe: view.probe, stream, cells, totals, ledger: view.ledger });
  }
  yield* exposition.text();
}
