/** Several socket.io clients in one process, which count what they get and acknowledge it. Started by tools/bench. */
import type { FrameHeader, Snapshot } from '@faultline/shared';
import { io } from 'socket.io-client';

const [url = '', clientCount = '1'] = process.argv.slice(2);

type Count = { frames: number; events: number; mergedTicks: number; droppedCalls: number };
const counts: Count[] = [];

for (let number = 0; number < Number(clientCount); number += 1) {
  const count = { frames: 0, events: 0, mergedTicks: 0, droppedCalls: 0 };
  counts.push(count);
  const socket = io(url, { transports: ['websocket'], forceNew: true });
  socket.on('snapshot', (_snapshot: Snapshot, received: () => void) => received());
  socket.on('frame', (header: FrameHeader, _bytes: Buffer, received: () => void) => {
    count.frames += 1;
    for (const slice of header.slices) count.events += slice.callCount;
    count.mergedTicks = header.clientMergedTicks;
    count.droppedCalls = header.clientDroppedCalls;
    received();
  });
  socket.on('rows', (rows: readonly object[], received: () => void) => {
    count.frames += 1;
    count.events += rows.length;
    received();
  });
}

// Any message asks for the counts since the last one.
process.on('message', () => {
  process.send?.(counts.map((count) => ({ ...count })));
  for (const count of counts) {
    count.frames = 0;
    count.events = 0;
  }
});
