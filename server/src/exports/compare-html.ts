/** A comparison as one HTML file that can be mailed: no script, nothing from the network, the same figures as the API. */
import {
  type CandidateComparison,
  candidatesOf,
  type ComparedSideView,
  type Comparison,
  type ComparisonAnswer,
  formatBrief,
  formatCount,
  formatExact,
  formatMetric,
  formatNs,
  formatP,
  formatPlural,
  formatRatio,
  formatRunsNeeded,
  formatShare,
  formatTest,
  latencyAxis,
  type LogAxis,
  type MetricComparison,
  meanOf,
  noValue,
  type OverlaidBucket,
  overviewOf,
  overviewSentence,
  ratioAxis,
  type RatioSpan,
  ratioSpan,
  verdictSigns,
  verdictsWorstFirst,
  verdictWords,
  eraTitle,
} from '@faultline/shared';

/** The whole document. Of many candidates one table first, then each of them. */
export function compareHtml(answer: ComparisonAnswer): string {
  const { baseline, comparison } = answer;
  const candidates = candidatesOf(answer);
  const [first] = candidates;
  const isOne = candidates.length === 1;
  const title =
    isOne && first !== undefined
      ? `${first.view.title} against ${baseline.title}: ${verdictWords[first.compared.verdict]}`
      : overviewSentence(comparison);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>${style}</style>
${isOne ? '' : overviewSection(comparison)}
${candidates.map(({ view, compared }) => candidateSection(baseline, view, compared, comparison.thresholds)).join('\n')}
</html>
`;
}

function overviewSection(comparison: Comparison): string {
  const titles = [comparison.baseline.title, ...comparison.candidates.map(({ title }) => title)];
  const cell = (row: MetricComparison | undefined): string =>
    row === undefined
      ? `<td class="n quiet">${noValue}`
      : `<td class="n${row.verdict === 'regressed' ? ' bad' : ''}">${text(`${formatBrief(row)} ${verdictSigns[row.verdict]}`)}`;
  const rows = overviewOf(comparison).map(
    ({ metric, baseline, cells }) =>
      `<tr><td>${text(metric.title)}${metric.decides ? ' *' : ''}<td class="n">${text(baseline)}${cells.map(cell).join('')}</tr>`,
  );
  const signs = verdictsWorstFirst.map((verdict) => `${verdictSigns[verdict]} ${verdictWords[verdict]}`).join(', ');
  return `<h1>${text(overviewSentence(comparison))}</h1>
<table><tr><th>metric${titles.map((title) => `<th class="n">${text(title)}`).join('')}</tr>${rows.join('\n')}</table>
<p class="note">${text(signs)}. A multiple is of the baseline; p is corrected over all candidates together.</p>`;
}

function candidateSection(
  baseline: ComparedSideView,
  candidate: ComparedSideView,
  found: CandidateComparison,
  { alpha, marginShare }: Comparison['thresholds'],
): string {
  const sides = [baseline, candidate];
  return `<h1 class="verdict-${found.verdict}">${text(found.sentence)}</h1>
<p class="key">${key('baseline', baseline)} ${key('candidate', candidate)}</p>
${list('Findings', found.findings)}
${list(
  'The gate: what differs between the sides',
  found.gate.map(({ level, message }) => (level === 'blocking' ? `✕ blocking: ${message}` : message)),
)}
<h2>Metrics</h2>
${metricTable(found, sides)}
<p class="note">The unit is the run. Ratios are of geometric means, with their ${formatShare(1 - alpha)} interval (Welch, on logarithms). A verdict demands
p &lt; ${formatP(alpha)} after Holm’s correction and more than ${formatShare(marginShare)}; “same” demands the whole interval within ±${formatShare(marginShare)}. Counts that
are the same in every run of a side are compared exactly. Rows with * decide.</p>
<h2>Time in the fault handler</h2>
${distribution(found.overlay)}
${shiftTable(found)}
<h2>The fault path, per run</h2>
${pathTable(baseline, candidate)}
<h2>The mmap lock assertion, all runs</h2>
${sides.map(assertion).join('\n')}
<h2>Runs</h2>
${runTable(found, sides)}`;
}

const style = `
:root{color-scheme:light dark;--line:#8886;--quiet:light-dark(#566170,#98a4b1);--baseline:light-dark(#1f7bb0,#56b4e9);--candidate:light-dark(#b36a00,#e69f00);--bad:light-dark(#c01722,#ff6b6b)}
body{font:14px/1.45 system-ui,sans-serif;max-width:1100px;margin:24px auto;padding:0 16px;font-variant-numeric:tabular-nums}
h1{font-size:20px;font-weight:600}h2{font-size:15px;margin:28px 0 6px}
table{border-collapse:collapse;width:100%;font-size:13px}th{text-align:start;font-weight:400;color:var(--quiet)}
td,th{padding:3px 10px 3px 0;border-bottom:1px solid var(--line);vertical-align:top}.n{text-align:end;white-space:nowrap}.axis{width:26%}
.note,.quiet{color:var(--quiet)}.baseline{color:var(--baseline)}.candidate{color:var(--candidate)}.bad{color:var(--bad);font-weight:600}
pre{margin:2px 0 8px 16px;font-size:12px}svg{display:block;width:100%}svg text{fill:currentColor;font-size:11px}`;

/** Everything that is not ours: names of builds, processes and functions come from files that others made. */
function text(words: string): string {
  return words
    .replaceAll(/(?![\n\t])\p{Cc}/gu, '\u{fffd}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function key(word: 'baseline' | 'candidate', side: ComparedSideView): string {
  const facts = [
    formatPlural(side.runs.length, 'run'),
    ...(side.era === undefined ? [] : [eraTitle(side.era)]),
    ...(side.work === undefined ? [] : [side.work.name]),
    ...(side.isEmulated ? ['emulated: counts and ratios, not latencies'] : []),
  ];
  return `<span class="${word}">■ ${word} <b>${text(side.title)}</b></span> <span class="quiet">${text(facts.join(', '))}</span>`;
}

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<h2>${text(title)}</h2><ul>${lines.map((line) => `<li>${text(line)}</li>`).join('')}</ul>`;
}

function metricTable({ metrics }: CandidateComparison, sides: readonly ComparedSideView[]): string {
  const axis = ratioAxis(metrics.map(ratioSpan).filter((span) => span !== undefined));
  const ticks = axis.ticks
    .map((tick) => `<text x="${axis.at(tick) * 300}" y="11" text-anchor="middle">${formatRatio(tick)}</text>`)
    .join('');
  const head = `<tr><th>metric<th class="n">${sides.map(({ title }) => text(title)).join('<th class="n">')}<th>candidate over baseline<th class="axis"><svg viewBox="-20 0 340 14">${ticks}</svg><th>p (Holm)<th>p (perm.)<th>verdict</tr>`;
  return `<table>${head}${metrics.map((row) => metricRow(row, axis)).join('\n')}</table>`;
}

function metricRow(row: MetricComparison, axis: LogAxis): string {
  const { metric, test, verdict, why, runsNeeded } = row;
  const isTested = test.kind === 'ratio' || test.kind === 'difference';
  const more = runsNeeded === undefined ? '' : ` (about ${formatRunsNeeded(runsNeeded)} a side)`;
  const cells = [
    `<td class="n">${formatMetric(meanOf(row, 'baseline'), metric.unit)}`,
    `<td class="n">${formatMetric(meanOf(row, 'candidate'), metric.unit)}`,
    `<td>${text(formatTest(row))}`,
    `<td>${interval(ratioSpan(row), axis)}`,
    `<td>${isTested ? text(formatP(test.pAdjusted)) : ''}`,
    `<td>${isTested ? text(formatP(test.permutation?.p)) : ''}`,
    `<td${verdict === 'regressed' ? ' class="bad"' : ''}>${text(`${verdictWords[verdict]}${more}${why === undefined ? '' : `: ${why}`}`)}`,
  ];
  return `<tr><td>${text(metric.title)}${metric.decides ? ' *' : ''}${cells.join('')}</tr>`;
}

function interval(span: RatioSpan | undefined, axis: LogAxis): string {
  if (span === undefined) return '';
  const [low, high, at] = [span.low, span.high, span.ratio].map((value) => axis.at(value) * 300);
  return (
    `<svg viewBox="-20 0 340 14"><path d="M150 0V14" stroke="currentColor" opacity=".4"/>` +
    `<path d="M${low} 7H${high}" stroke="currentColor" stroke-width="2"/><circle cx="${at}" cy="7" r="3.5" fill="currentColor"/></svg>`
  );
}

function distribution(buckets: readonly OverlaidBucket[]): string {
  const axis = latencyAxis(buckets);
  if (axis === undefined) return '<p class="note">The fault handler was not traced, or took no fault.</p>';
  const top = Math.max(...buckets.flatMap(({ baselineShare, candidateShare }) => [baselineShare, candidateShare]));
  const bars = (['baseline', 'candidate'] as const).map((side) => {
    const shapes = buckets.map(({ lowNs, highNs, baselineShare, candidateShare }) => {
      const height = (110 * (side === 'baseline' ? baselineShare : candidateShare)) / top;
      const x = axis.at(Math.max(lowNs, axis.low)) * 1000;
      return `<rect x="${x}" y="${120 - height}" width="${Math.max(2, axis.at(highNs) * 1000 - x)}" height="${height}"/>`;
    });
    return `<g class="${side}" fill="currentColor" fill-opacity=".55">${shapes.join('')}</g>`;
  });
  const ticks = axis.ticks.map(
    (tick) => `<text x="${axis.at(tick) * 1000}" y="136" text-anchor="middle">${formatNs(tick)}</text>`,
  );
  return `<svg viewBox="-20 0 1040 142" role="img" aria-label="shares of faults by time in the handler">${bars.join('')}<path d="M0 120H1000" stroke="currentColor" opacity=".4"/>${ticks.join('')}</svg>`;
}

function shiftTable({ shift }: CandidateComparison): string {
  if (shift.length === 0)
    return '<p class="note">No shift function: it takes two runs a side with enough faults in each.</p>';
  const rows = shift.map(
    ({ quantile, baselineNs, candidateNs, ratio, low, high }) =>
      `<tr><td>${formatShare(quantile)}<td class="n">${formatNs(baselineNs)}<td class="n">${formatNs(candidateNs)}<td>${formatRatio(ratio)} [${formatCount(low)}–${formatCount(high)}]</tr>`,
  );
  return `<table><tr><th>of faults up to<th class="n">baseline<th class="n">candidate<th>candidate over baseline</tr>${rows.join('')}</table>`;
}

function pathTable(baseline: ComparedSideView, candidate: ComparedSideView): string {
  const names = [...new Set([baseline, candidate].flatMap(({ path }) => path?.nodes.map(({ id }) => id) ?? []))];
  if (names.length === 0) return '<p class="note">The fault handler was traced on neither side.</p>';
  const rows = names.map((id) => {
    const [from, to] = [baseline, candidate].map(({ path }) => path?.nodes.find((node) => node.id === id));
    const cell = (node: typeof from): string => {
      if (node === undefined) return '<td class="n quiet">not on this path';
      const broken = node.violations > 0 ? ' <span class="bad">✕ needs the write lock</span>' : '';
      const locks = node.locks.map(({ lock, count }) => `${lock} ${formatExact(count)}`).join(', ');
      return `<td class="n">${node.total === undefined ? 'not measured' : formatExact(node.total)} <span class="quiet">${text(locks)}</span>${broken}`;
    };
    return `<tr><td><code>${text((from ?? to)?.name ?? id)}</code>${cell(from)}${cell(to)}</tr>`;
  });
  return `<table><tr><th>function<th class="n">${text(baseline.title)}<th class="n">${text(candidate.title)}</tr>${rows.join('')}</table>`;
}

function assertion({ title, assertion: found }: ComparedSideView): string {
  const broken = found.violations.map(
    ({ count, site, process, expected, actual, stack }) =>
      `<p class="bad">✕ ${formatExact(count)} × violated at ${text(site)} in ${text(process)}: expected ${text(expected)}, found ${text(actual)}</p><pre>${text(stack.join('\n'))}</pre>`,
  );
  const clean = `<p>none in ${formatPlural(found.checks, 'check')}</p>`;
  const warns = found.warns.map(
    ({ count, process }) => `<p>The kernel WARNed ${formatPlural(count, 'time')} in ${text(process)}.</p>`,
  );
  return `<h3>${text(title)}</h3>${broken.length === 0 ? clean : broken.join('')}${warns.join('')}`;
}

function runTable({ metrics }: CandidateComparison, sides: readonly ComparedSideView[]): string {
  const decisive = metrics.filter(({ metric }) => metric.decides);
  const rows = sides.flatMap(({ title, runs }, side) =>
    runs.map(({ id }, at) => {
      const values = decisive.map((row) => {
        const own = side === 0 ? row.baseline : row.candidate;
        // Runs without a value are left out of a row: then nothing says which value is whose.
        return own.length === runs.length ? formatMetric(own[at], row.metric.unit) : '';
      });
      return `<tr><td>${text(title)}<td><code>${text(id)}</code>${values.map((value) => `<td class="n">${value}`).join('')}</tr>`;
    }),
  );
  const head = decisive.map(({ metric }) => `<th class="n">${text(metric.title)}`).join('');
  return `<table><tr><th>side<th>session${head}</tr>${rows.join('')}</table>`;
}
