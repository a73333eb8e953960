// Numbers, sizes, rates and tables as people read them. Pure: text in, text out.

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** A size in bytes with a binary unit and three significant digits: `1.50 GiB`, `512 B`. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes);
  let unit = 0;
  // 999.5 would round up to four digits, so it moves to the next unit.
  while (Math.abs(value) >= 999.5 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : threeDigits(value)} ${BINARY_UNITS[unit] ?? 'B'}`;
}

/** A throughput in decimal units: `1.83 GB/s`, below a tenth of that `45.6 MB/s`. */
export function formatRate(bytes: number | bigint, seconds: number): string {
  if (!(seconds > 0)) return '- GB/s';
  const bytesPerSecond = Number(bytes) / seconds;
  return bytesPerSecond >= 1e8
    ? `${threeDigits(bytesPerSecond / 1e9)} GB/s`
    : `${threeDigits(bytesPerSecond / 1e6)} MB/s`;
}

/** A duration with the unit that fits: `12.3 us`, `4.56 ms`, `7.89 s`, `3 min 05 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1e-3) return `${threeDigits(seconds * 1e6)} us`;
  if (seconds < 1) return `${threeDigits(seconds * 1e3)} ms`;
  if (seconds < 60) return `${threeDigits(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** An integer with thin groups of three digits: `1 234 567`. */
export function formatCount(count: number | bigint): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

/** `1 chunk`, `2 chunks`. */
export function plural(count: number | bigint, noun: string): string {
  return `${formatCount(count)} ${noun}${Number(count) === 1 ? '' : 's'}`;
}

/** A shape as numpy writes it: `(3, 4)`, `(3,)`, `()`. */
export function formatShape(shape: readonly (number | bigint)[]): string {
  return shape.length === 1 ? `(${String(shape[0])},)` : `(${shape.join(', ')})`;
}

/** Three significant digits, without an exponent. */
export function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size >= 100) return value.toFixed(0);
  // Values that round up to the next power of ten keep three digits, not four.
  if (size >= 9.995) return value.toFixed(size >= 99.95 ? 0 : 1);
  return value.toFixed(2);
}

/** The middle value; the mean of the two middle ones for an even count. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Labels and values in two aligned columns, one pair a line. */
export function formatPairs(pairs: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([label]) => label.length));
  const indent = `\n${' '.repeat(width + 2)}`;
  return pairs
    .map(
      ([label, value]) =>
        `${label.padEnd(width)}  ${value.replaceAll('\n', indent)}`.trimEnd() + '\n',
    )
    .join('');
}

/** A column of a table: its heading, and on which side its cells line up. */
export interface Column {
  readonly heading: string;
  readonly align: 'left' | 'right';
}

/** A table with aligned columns under their headings. Rows are as long as `columns`. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [columns.map((column) => column.heading), ...rows];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => line[index]?.length ?? 0)),
  );
  return lines
    .map((line) => {
      const cells = columns.map(({ align }, index) => {
        const cell = line[index] ?? '';
        const width = widths[index] ?? 0;
        return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
      });
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** `text` broken at spaces into lines of at most `width` characters; longer words stay whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
