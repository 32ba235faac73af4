/** How good or bad something is. The colour only repeats what is written. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'accent';
