/** The thread that makes the files of one closed session, and ends: tracing does not wait for it, its memory goes with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { deriveSession } from './derive-session.ts';

const job: unknown = workerData;
if (typeof job !== 'object' || job === null || !('folder' in job) || !('owner' in job))
  throw new Error('this thread is told a folder and an owner');
try {
  await deriveSession(String(job.folder), String(job.owner));
  parentPort?.postMessage('done');
} catch (error) {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  parentPort?.postMessage({ problem: isFull ? 'the disk is full' : String(error) });
}
