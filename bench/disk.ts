import fs from 'node:fs';
import path from 'node:path';
import { percentile } from './statistics.ts';

const SYNCS = 300;
/** About what one commit of a single report appends to the write-ahead log (seven pages). */
const WRITE_BYTES = 28 * 1024;

/** What the disk gives: one append and its fdatasync, one after the other, in microseconds. */
export interface DiskGauge {
  readonly p50Us: number;
  readonly p99Us: number;
}

/**
 * Measures the disk under a folder. A commit that is fsynced cannot take less, whatever the server does.
 * Blocks the process for the time of 300 syncs.
 */
export function gaugeDisk(folder: string): DiskGauge {
  const file = path.join(folder, 'disk-gauge');
  const data = Buffer.alloc(WRITE_BYTES, 1);
  const times = new Float64Array(SYNCS);
  const descriptor = fs.openSync(file, 'w');
  try {
    for (let i = 0; i < SYNCS; i++) {
      const began = performance.now();
      fs.writeSync(descriptor, data);
      fs.fdatasyncSync(descriptor);
      times[i] = (performance.now() - began) * 1000;
    }
  } finally {
    fs.closeSync(descriptor);
    fs.rmSync(file, { force: true });
  }
  times.sort();
  return { p50Us: Math.round(percentile(times, 0.5)), p99Us: Math.round(percentile(times, 0.99)) };
}
