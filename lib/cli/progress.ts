// Progress on standard error, for people: a bar on a terminal, nothing anywhere else.

import { formatBytes, formatSeconds } from './format.js';

/** How far something is, in bytes. */
export interface ProgressState {
  readonly label: string;
  readonly done: number;
  /** 0 where it is not known yet. */
  readonly total: number;
  /** Since it started. */
  readonly seconds: number;
}

const BAR_WIDTH = 24;
const BAR_LEAST_WIDTH = 6;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

// Smooth for the eye; drawing costs far less than that.
const REDRAW_MS = 80;

/** One line that shows `state`, at most `columns` characters long. */
export function progressLine(state: ProgressState, columns: number): string {
  const { label, total, seconds } = state;
  // Chunks at the edge are decoded whole: the core may count more than there is.
  const done = total > 0 ? Math.min(state.done, total) : state.done;
  const share = total > 0 ? done / total : 0;
  const rate = seconds > 0 ? `${formatBytes(Math.round(done / seconds))}/s` : '';
  const left =
    share > 0 && share < 1 ? `${formatSeconds((seconds * (1 - share)) / share)} left` : '';
  const amount = total > 0 ? `${formatBytes(done)} of ${formatBytes(total)}` : formatBytes(done);
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const texts = [amount, rate, left].filter((text) => text !== '').join('  ');
  // The bar gives way to the numbers.
  const room = columns - 1 - `${label}   ${percent}  ${texts}`.length;
  const bar = barText(share, Math.min(BAR_WIDTH, Math.max(BAR_LEAST_WIDTH, room)));
  return `${label}  ${bar} ${percent}  ${texts}`.slice(0, Math.max(0, columns - 1));
}

function barText(share: number, width: number): string {
  const eighths = Math.floor(share * width * 8);
  return ('█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] ?? '')).padEnd(width);
}

/** What a bar is drawn on: standard error, or a stand-in. */
export interface ProgressStream {
  readonly columns?: number;
  write(text: string): unknown;
}

/** Draws a bar again and again on one line; draws nothing where there is no stream to draw on. */
export class ProgressBar {
  readonly #stream: ProgressStream | null;
  readonly #now: () => number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #startedAt: number;
  #label = '';

  /** `now` is a clock in milliseconds. */
  constructor(stream: ProgressStream | null, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Starts over, for another thing to wait for. */
  start(label: string): void {
    this.clear();
    this.#label = label;
    this.#startedAt = this.#now();
  }

  /** Shows how far it is, unless that was shown a moment ago. */
  update(done: number, total: number): void {
    const now = this.#now();
    if (this.#stream === null || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    const seconds = (now - this.#startedAt) / 1e3;
    const line = progressLine(
      { label: this.#label, done, total, seconds },
      this.#stream.columns || 80,
    );
    this.#stream.write(`\r\u001B[2K${line}`);
  }

  /** Removes the bar, so that other text can be written. */
  clear(): void {
    if (this.#stream !== null && this.#drawnAt !== Number.NEGATIVE_INFINITY) {
      this.#stream.write('\r\u001B[2K');
      this.#drawnAt = Number.NEGATIVE_INFINITY;
    }
  }
}
