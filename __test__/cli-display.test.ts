// What people see: sizes, tables, bars, colours and maps.

import test from 'ava';
import { colourAt, colourOf256At } from '../lib/cli/colour-map.js';
import { colourDepth } from '../lib/cli/colour-depth.js';
import {
  formatBytes,
  formatCount,
  formatPairs,
  formatRate,
  formatSeconds,
  formatShape,
  formatTable,
  median,
  plural,
  wrap,
} from '../lib/cli/format.js';
import { editDistance, nearMiss } from '../lib/cli/near-miss.js';
import { ProgressBar, progressLine } from '../lib/cli/progress.js';
import {
  drawMap,
  drawScale,
  fieldRange,
  mapRows,
  resample,
  type Field,
} from '../lib/cli/terminal-map.js';
import { asWorldMap } from '../lib/cli/world-map.js';

function field(
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Field {
  const data = Array.from({ length: rows * columns }, (_, index) =>
    value(Math.floor(index / columns), index % columns),
  );
  return { data, rows, columns };
}

test('sizes, rates and durations have three digits and the unit that fits', (t) => {
  t.deepEqual(
    [0, 512, 1023, 1536, 1024 ** 2, 1.5 * 1024 ** 3, 2 ** 60].map((bytes) => formatBytes(bytes)),
    ['0 B', '512 B', '1.00 KiB', '1.50 KiB', '1.00 MiB', '1.50 GiB', '1.00 EiB'],
  );
  t.is(formatBytes(2n ** 40n), '1.00 TiB');
  t.is(formatRate(2e9, 0.5), '4.00 GB/s');
  t.is(formatRate(5e6, 0.1), '50.0 MB/s');
  t.is(formatRate(1, 0), '- GB/s');
  t.deepEqual([2e-6, 0.0123, 9.999, 59, 125].map(formatSeconds), [
    '2.00 us',
    '12.3 ms',
    '10.0 s',
    '59.0 s',
    '2 min 05 s',
  ]);
});

test('counts are grouped, shapes look as in Python', (t) => {
  t.is(formatCount(1234567), '1 234 567');
  t.is(formatCount(999n), '999');
  t.is(plural(1, 'chunk'), '1 chunk');
  t.is(plural(2000, 'chunk'), '2 000 chunks');
  t.deepEqual([[], [3], [3, 4]].map(formatShape), ['()', '(3,)', '(3, 4)']);
});

test('the median of an even count is the mean of the middle two', (t) => {
  t.is(median([5, 1, 3]), 3);
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([]), Number.NaN);
});

test('tables and pairs line up', (t) => {
  t.is(
    formatPairs([
      ['a', '1'],
      ['long', '2\n3'],
    ]),
    'a     1\nlong  2\n      3\n',
  );
  t.is(
    formatTable(
      [
        { heading: 'name', align: 'left' },
        { heading: 'size', align: 'right' },
      ],
      [
        ['a', '1'],
        ['bcdef', '12345'],
      ],
    ),
    'name    size\na          1\nbcdef  12345\n',
  );
  t.deepEqual(wrap('one two three', 7), ['one two', 'three']);
});

test('near misses are found, other words are not', (t) => {
  t.is(editDistance('kitten', 'sitting'), 3);
  t.is(editDistance('inof', 'info'), 1);
  t.is(nearMiss('--selecton', ['--output', '--selection']), '--selection');
  t.is(nearMiss('--rec', ['--recursive']), '--recursive');
  t.is(nearMiss('--banana', ['--output', '--selection']), null);
});

test('a bar shows share, amount, rate and what is left, and fits the line', (t) => {
  const state = { label: 'reading', done: 512 * 1024 ** 2, total: 1024 ** 3, seconds: 2 };
  const line = progressLine(state, 100);
  t.regex(line, /^reading  █{12} {12} +50 %  512 MiB of 1.00 GiB  256 MiB\/s  2.00 s left$/);
  t.regex(progressLine(state, 70), /^reading {2}█{4}▌? *.* 2\.00 s left$/);
  t.is(progressLine(state, 70).length, 69);
  t.is(progressLine(state, 20).length, 19);
  t.regex(progressLine({ ...state, total: 0 }, 100), / 0 %  512 MiB  256 MiB\/s$/);
});

test('a bar draws now and then, on one line, and clears it', (t) => {
  const written: string[] = [];
  let now = 0;
  const stream = { columns: 80, write: (text: string) => written.push(text) };
  const bar = new ProgressBar(stream, () => now);
  bar.start('reading');
  bar.update(1, 10);
  now = 10;
  bar.update(2, 10);
  now = 1000;
  bar.update(10, 10);
  bar.clear();
  bar.clear();
  t.is(written.length, 3);
  t.true(written.every((text) => text.startsWith('\r\u001B[2K') && !text.includes('\n')));
  t.is(written[2], '\r\u001B[2K');
});

test('a bar without a stream does nothing', (t) => {
  const bar = new ProgressBar(null);
  t.notThrows(() => {
    bar.start('x');
    bar.update(1, 2);
    bar.clear();
  });
});

test('colour depth follows FORCE_COLOR, then NO_COLOR, then the terminal', (t) => {
  const truecolour = { TERM: 'xterm-256color', COLORTERM: 'truecolor' };
  t.is(colourDepth(truecolour, true), 'true');
  t.is(colourDepth({ TERM: 'xterm-256color' }, true), '256');
  t.is(colourDepth({ TERM: 'xterm' }, true), 'none');
  t.is(colourDepth({ ...truecolour, TERM: 'dumb' }, true), 'none');
  t.is(colourDepth(truecolour, false), 'none');
  t.is(colourDepth({ ...truecolour, NO_COLOR: '1' }, true), 'none');
  t.is(colourDepth({ ...truecolour, NO_COLOR: '' }, true), 'true');
  t.is(colourDepth({ FORCE_COLOR: '3', NO_COLOR: '1' }, false), 'true');
  t.is(colourDepth({ FORCE_COLOR: '2' }, false), '256');
  t.is(colourDepth({ ...truecolour, FORCE_COLOR: '' }, false), 'true');
  t.is(colourDepth({ ...truecolour, FORCE_COLOR: '0' }, true), 'none');
});

test('the colour scale goes from blue to red, lightest in the middle', (t) => {
  const lightness = ([red, green, blue]: readonly number[]): number =>
    0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
  const places = Array.from({ length: 101 }, (_, index) => lightness(colourAt(index / 100)));
  for (let index = 1; index <= 50; index++) {
    t.true((places[index] ?? 0) > (places[index - 1] ?? 0), `rises at ${index}`);
  }
  for (let index = 51; index <= 100; index++) {
    t.true((places[index] ?? 0) < (places[index - 1] ?? 0), `falls at ${index}`);
  }
  t.true(colourAt(0)[2] > colourAt(0)[0]);
  t.true(colourAt(1)[0] > colourAt(1)[2]);
  t.deepEqual(colourAt(-1), colourAt(0));
  t.deepEqual(colourAt(2), colourAt(1));
});

test('its steps in 256 colours rise and fall in lightness too', (t) => {
  const levels = [0, 95, 135, 175, 215, 255];
  const lightness = (colour: number): number => {
    const cube = colour - 16;
    const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
    return (
      0.2126 * (levels[red] ?? 0) + 0.7152 * (levels[green] ?? 0) + 0.0722 * (levels[blue] ?? 0)
    );
  };
  const steps = Array.from({ length: 1001 }, (_, index) => colourOf256At(index / 1000));
  const values = steps.map(lightness);
  const top = values.indexOf(Math.max(...values));
  t.true(top > 400 && top < 600);
  t.deepEqual(
    values.slice(0, top),
    values.slice(0, top).toSorted((a, b) => a - b),
  );
  t.deepEqual(
    values.slice(top),
    values.slice(top).toSorted((a, b) => b - a),
  );
  t.is(colourOf256At(-1), colourOf256At(0));
  t.is(colourOf256At(2), colourOf256At(1));
});

test('resampling takes means and leaves missing values out', (t) => {
  const source = field(4, 4, (row, column) => row * 4 + column);
  t.deepEqual([...Array.from(resample(source, 2, 2).data)], [2.5, 4.5, 10.5, 12.5]);
  const gap = field(2, 2, (row) => (row === 0 ? Number.NaN : 3));
  t.deepEqual(Array.from(resample(gap, 1, 1).data), [3]);
  t.deepEqual(Array.from(resample(gap, 2, 1).data), [Number.NaN, 3]);
  t.is(resample(source, 8, 8).data.length, 64);
});

test('the range of a field leaves missing values out', (t) => {
  t.deepEqual(fieldRange(field(1, 3, (_, column) => [Number.NaN, 5, -1][column] ?? 0)), [-1, 5]);
  t.is(fieldRange(field(1, 2, () => Number.NaN)), null);
});

test('maps keep the proportions of the field and have whole lines', (t) => {
  const world = field(90, 180, () => 0);
  t.is(mapRows(world, 80, 1000), 40);
  t.is(mapRows(world, 81, 1000) % 2, 0);
  t.is(mapRows(world, 80, 21), 20);
  t.is(mapRows(world, 1, 1000), 2);
});

test('a map without colour is plain text, first row at the top', (t) => {
  const north = field(4, 3, (row) => (row < 2 ? 3 : 1));
  t.is(drawMap(north, 3, 4, [0, 3], 'none'), '@@@\n---\n');
});

test('a map in colour says each pair of colours once in a row, and ends each line plainly', (t) => {
  const flat = field(2, 5, () => 1);
  const line = drawMap(flat, 5, 2, [0, 2], 'true');
  t.is(line.split('▀').length - 1, 5);
  t.is(line.split('\u001B[38;2;').length - 1, 1);
  t.true(line.endsWith('\u001B[0m\n'));
  const plain = drawMap(flat, 5, 2, [0, 2], '256').replaceAll('\u001B', '<esc>');
  t.regex(plain, /^<esc>\[38;5;\d+;48;5;\d+m▀▀▀▀▀<esc>\[0m\n$/);
});

test('missing values have a colour of their own', (t) => {
  const gap = field(2, 1, () => Number.NaN);
  t.true(drawMap(gap, 1, 2, [0, 1], 'true').includes('38;2;96;96;96;48;2;96;96;96'));
  t.is(drawMap(gap, 1, 2, [0, 1], 'none'), '?\n');
});

test('the scale says its ends and fits the line', (t) => {
  const line = drawScale(40, [251.26, 303], 'K', 'none');
  t.true(line.startsWith('251.3 ') && line.endsWith(' 303.0 K\n'));
  t.is(line.length, 41);
});

test('world maps have north up and Greenwich in the middle', (t) => {
  const grid = field(2, 4, (row, column) => row * 4 + column);
  const arranged = asWorldMap(grid, { latitudes: [-45, 45], longitudes: [0, 90, 180, 270] });
  t.deepEqual(Array.from(arranged.data), [6, 7, 4, 5, 2, 3, 0, 1]);
  t.is(asWorldMap(grid, { latitudes: [45, -45], longitudes: [-180, -90, 0, 90] }), grid);
  t.is(asWorldMap(grid, { latitudes: null, longitudes: null }), grid);
});
