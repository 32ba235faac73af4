import fs from 'node:fs';
import os from 'node:os';
import { type DiskGauge, gaugeDisk } from './disk.ts';

/** What figures were measured on: they say nothing without it. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  readonly disk: DiskGauge;
  /** ISO 8601, the day alone. */
  readonly day: string;
}

/** @param folder on the disk that is measured too, which takes the time of 300 syncs */
export function describeMachine(folder: string): Machine {
  const name = /^model name\s*:\s*(.+)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
  return {
    processor: name ?? os.arch(),
    cores: os.availableParallelism(),
    memoryGib: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    disk: gaugeDisk(folder),
    day: new Date().toISOString().slice(0, 10),
  };
}

/** In one sentence. */
export function tellMachine({ processor, cores, memoryGib, system, node, disk, day }: Machine): string {
  const synced = `28 KiB appended and synced in ${disk.p50Us} µs (p50), ${disk.p99Us} µs (p99)`;
  return `${day}: ${cores} cores of ${processor}, ${memoryGib} GiB of memory, ${system}, Node ${node}; ${synced}.`;
}
