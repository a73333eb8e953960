// The tables of support as text. Pure: from fixtures, from which of them were read, and by whom.

import { codecsOf, featuresOf } from './features.mjs';

/** Who reads, and the letter that stands for it in a cell. */
export const LETTERS = {
  'light-speed-io': 'L',
  'zarr-python': 'P',
  tensorstore: 'T',
  zarrs: 'S',
  zarrita: 'Z',
};

/**
 * The cells of a table: which fixtures belong to each row and column.
 *
 * @returns {Map<string, Map<string, object[]>>} by row, by column
 */
function cells(entries, rowsOf, columnsOf) {
  const table = new Map();
  for (const entry of entries) {
    for (const row of rowsOf(entry)) {
      for (const column of columnsOf(entry)) {
        if (!table.has(row)) table.set(row, new Map());
        const columns = table.get(row);
        columns.set(column, [...(columns.get(column) ?? []), entry]);
      }
    }
  }
  return table;
}

/** Data type by codec, and feature by format. */
export function allCells(entries) {
  return {
    codecs: cells(entries, ({ dtype }) => [dtype], codecsOf),
    features: cells(entries, featuresOf, ({ zarrFormat }) => [`format ${zarrFormat}`]),
  };
}

/** How many of the fixtures of a cell a reader reads as expected. */
function readBy(reader, fixtures, { ours, outcomes }) {
  if (reader === 'light-speed-io') return fixtures.filter(({ path }) => ours.has(path)).length;
  const known = fixtures.filter(({ path }) => outcomes[path] !== undefined);
  return known.filter(({ path }) => outcomes[path][reader] === undefined).length;
}

/**
 * Cells of which we read less than all, while some peer reads more than we do.
 *
 * @returns {{ table: string, row: string, column: string, readers: string[], unread: string[] }[]}
 */
export function gaps(tables, results) {
  const found = [];
  for (const [table, rows] of Object.entries(tables)) {
    for (const [row, columns] of rows) {
      for (const [column, fixtures] of columns) {
        const ours = readBy('light-speed-io', fixtures, results);
        const ahead = Object.keys(LETTERS).filter(
          (reader) => readBy(reader, fixtures, results) > ours,
        );
        const unread = fixtures.filter(({ path }) => !results.ours.has(path));
        if (ahead.length > 0) {
          found.push({
            table,
            row,
            column,
            readers: ahead,
            unread: unread.map(({ path }) => path),
          });
        }
      }
    }
  }
  return found;
}

/** A cell: the letter of each reader, small if it reads only some of the fixtures; nothing for none. */
function cellText(fixtures, results) {
  if (fixtures === undefined) return '';
  return Object.entries(LETTERS)
    .map(([reader, letter]) => {
      const count = readBy(reader, fixtures, results);
      if (count === 0) return '';
      return count === fixtures.length ? letter : letter.toLowerCase();
    })
    .join('');
}

/** By code units, so that the order is the same everywhere. */
function byName(one, other) {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** A table in Markdown; rows and columns are sorted. */
function tableText(corner, rows, results) {
  const names = new Set([...rows.values()].flatMap((row) => Array.from(row.keys())));
  const columns = [...names].sort(byName);
  const lines = [[corner, ...columns], columns.map(() => '---').concat('---')];
  for (const name of [...rows.keys()].sort(byName)) {
    const row = rows.get(name);
    const texts = columns.map((column) => cellText(row.get(column), results));
    lines.push([`\`${name}\``, ...texts]);
  }
  return lines.map((line) => `| ${line.join(' | ')} |\n`).join('');
}

/** The whole page. */
export function page(entries, results, reasons) {
  const { codecs, features } = allCells(entries);
  const { readers } = results;
  const peers = Object.entries(readers).map(
    ([name, { version, command }]) =>
      `| ${LETTERS[name]} | ${name} | ${version} | \`${command} LIST 0\` |\n`,
  );
  const of = (reader) => `${readBy(reader, entries, results)}`;
  const counts = Object.keys(LETTERS).map((reader) => `${reader} ${of(reader)}`);
  const unread = Object.entries(reasons).map(([path, reason]) => `- \`${path}\`: ${reason}\n`);
  return `<!-- written by npm run support -->

# What is read

Of ${entries.length} arrays by other writers ([fixtures](../fixtures/README.md)), each library reads as its writer does: ${counts.join(', ')}.
A cell has the letter of each library that reads all arrays of the cell with the expected elements; a small letter, if only some. An empty
cell: no array is known that has both. zarrs is run below zarr-python, without its way back to Python.

| | library | version | command |
| --- | --- | --- | --- |
| L | light-speed-io | this one | \`npx ava __test__/every-fixture.test.ts __test__/data-types.test.ts\` |
${peers.join('')}
LIST is what \`fixtures/peers/run.mjs\` writes: it runs all of them, and keeps what each says of each array in
\`fixtures/peers/outcomes.json\`.

## Data types and codecs

${tableText('', codecs, results)}
## Features and formats

${tableText('', features, results)}
## Not yet read

${unread.length === 0 ? 'Nothing that one of the others reads.\n' : unread.join('')}`;
}
