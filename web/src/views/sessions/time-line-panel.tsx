import { type ReactNode, memo } from 'react';
import { formatSeconds } from '@faultline/shared';
import { Brush, type BrushRange } from '../../charts/brush.tsx';
import { LinePlot } from '../../charts/line-plot.tsx';
import { plotMargin } from '../../charts/plot-geometry.ts';
import { TimePlot } from '../../charts/time-plot.tsx';
import { playSpeeds } from '../../store/page-state.ts';
import { brushMsMin } from '../../store/recorded-look.ts';
import { type TimeLineView, selectTimeLine } from '../../store/select-time-line.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Panel } from '../../widgets/panel.tsx';
import { Segmented } from '../../widgets/segmented.tsx';
import { MarkButton } from './mark-button.tsx';

/** The whole session, and the part of it that everything below is of. */
export function TimeLinePanel(): ReactNode {
  const view = useShown(selectTimeLine, 'first');
  if (view === undefined) return null;
  return (
    <div className="cell-time-line">
      <Panel
        id="time-line"
        title="the session"
        unit="events/s, each line to its own height"
        note={view.caveats[0]}
        lossWord={view.losses.length > 0 ? 'hatched: events lost' : undefined}
        controls={<PlayControls view={view} />}
        legend={<Legend view={view} />}
      >
        <div className="time-line">
          <Lines view={view} />
          <Moments view={view} />
          <TimeLineBrush view={view} />
        </div>
      </Panel>
    </div>
  );
}

function PlayControls({ view }: { readonly view: TimeLineView }): ReactNode {
  const { app } = useStores();
  const { speed } = usePage();
  return (
    <>
      <span className="brush-words" role="status">
        {view.brushWords}
      </span>
      <Button label="Whole session (a)" onClick={() => app.page.set({ fromMs: undefined, toMs: undefined })} />
      <Segmented
        label="speed"
        value={speed}
        options={playSpeeds.map((value) => ({ value, label: `${value}×` }))}
        onChange={(chosen) => app.page.set({ speed: chosen })}
      />
      <MarkButton hint="m; at the cursor of the charts, or at the end of the part" />
      <Button
        label={view.noteCount === 0 ? 'Notes' : `Notes (${view.noteCount})`}
        onClick={() => void app.recorded.recordings.writing.openNotes(view.manifest.id, view.title)}
      />
      <Button
        icon={view.isPlaying ? 'pause' : 'play'}
        label={view.isPlaying ? 'Stand still' : 'Play'}
        hint="space; moves the end of the part through the session"
        isPressed={view.isPlaying}
        onClick={() => app.recorded.playOrPause()}
      />
    </>
  );
}

function Legend({ view }: { readonly view: TimeLineView }): ReactNode {
  return view.lines.map(({ key, title, color, peakWords }) => (
    <span key={key} className="readout">
      <svg className="mark" width="14" height="8" aria-hidden="true">
        <line x1="0" x2="14" y1="4" y2="4" stroke={color} strokeWidth="2" />
      </svg>
      {title} <span className="quiet">{peakWords}</span>
    </span>
  ));
}

/** Drawn once: the brush moves over it. */
const Lines = memo(
  function Lines({ view }: { readonly view: TimeLineView }): ReactNode {
    const { theme } = usePage();
    return (
      <TimePlot ticks={view.frame.ticks} losses={view.losses} cursor={null} onPoint={() => undefined}>
        {({ width, height }) => (
          <LinePlot
            width={width}
            height={height}
            lines={view.lines}
            fromSec={view.firstMs / 1000}
            toSec={view.lastMs / 1000}
            theme={theme}
          />
        )}
      </TimePlot>
    );
  },
  (before, after) => before.view.data === after.view.data,
);

function TimeLineBrush({ view }: { readonly view: TimeLineView }): ReactNode {
  const { app } = useStores();
  const { firstMs, lastMs, fromMs, toMs } = view;
  const spanMs = lastMs - firstMs;
  const range = { from: (fromMs - firstMs) / spanMs, to: (toMs - firstMs) / spanMs };
  const at = (share: number): number => Math.round(firstMs + share * spanMs);
  const move = ({ from, to }: BrushRange): void => {
    app.recorded.player.pause();
    // An end of the session stays one when it is opened again and has grown.
    app.page.move({ fromMs: from <= 0 ? undefined : at(from), toMs: to >= 1 ? undefined : at(to) });
  };
  return (
    <Brush
      range={range}
      shortest={Math.min(1, brushMsMin / spanMs)}
      words={{ from: formatSeconds(fromMs, 2), to: formatSeconds(toMs, 2) }}
      onChange={move}
    />
  );
}

/** Marks and notes, where they were made; a press moves the end of the part there. */
function Moments({ view }: { readonly view: TimeLineView }): ReactNode {
  const { app } = useStores();
  return (
    <div className="moments" style={{ left: plotMargin.left, right: plotMargin.right }}>
      {view.moments.map(({ key, kind, text, words, atMs, share }) => (
        <button
          key={key}
          type="button"
          className={`moment moment-${kind}`}
          style={{ left: `${share * 100}%` }}
          title={words}
          aria-label={`${kind}: ${words}`}
          onClick={() => app.page.set({ toMs: Math.max(Math.round(atMs), view.fromMs + brushMsMin) })}
        >
          <span>{text}</span>
        </button>
      ))}
    </div>
  );
}
