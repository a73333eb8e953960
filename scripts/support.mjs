// npm run support: reads every fixture, as the tests do, and writes what is read to docs/support.md.
//
//   npm run support              fails where a fixture was not read by a test, or where a peer reads more than we do
//   npm run support -- --check   says whether the page is what the stored results give; runs nothing. Fixtures that
//                                are newer than the results are counted only: npm run support takes them in

import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { arrayEntries } from '../fixtures/entries.mjs';
import { exitCodeOf, root } from './child-process.mjs';
import { allCells, gaps, page } from './support/tables.mjs';

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const PAGE = join(root, 'docs/support.md');
const READ = join(root, 'fixtures/read-by-tests.json');
/** The tests that note what they have read. */
const TESTS = ['__test__/every-fixture.test.ts', '__test__/data-types.test.ts'];
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** The fixtures that the tests read as expected, in this run of them. */
async function readByTests() {
  const folder = mkdtempSync(join(tmpdir(), 'lsio-support-'));
  try {
    const notes = join(folder, 'read');
    const ava = join(root, 'node_modules/ava/entrypoints/cli.mjs');
    // What fails is not noted: it is named below.
    await exitCodeOf(process.execPath, [ava, '--tap', ...TESTS], {
      env: { LSIO_READ_FIXTURES: notes },
      onLine: (line) => {
        if (line.startsWith('not ok')) console.error(line);
      },
    });
    return existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n').sort() : [];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const all = arrayEntries();
if (!values.check)
  writeFileSync(READ, `${JSON.stringify(await readByTests(), null, 0).replaceAll(',', ',\n')}\n`);
const ours = new Set(readJson('fixtures/read-by-tests.json'));
const { readers, outcomes } = readJson('fixtures/peers/outcomes.json');
const reasons = readJson('fixtures/not-yet-read.json');
const results = { ours, readers, outcomes };
const isKnown = ({ path }) => ours.has(path) || reasons[path] !== undefined;
const entries = values.check ? all.filter(isKnown) : all;
if (entries.length < all.length) {
  console.error(`${all.length - entries.length} fixtures are newer than docs/support.md`);
}

const failures = [];
for (const { path } of entries) {
  if (!ours.has(path) && reasons[path] === undefined) failures.push(`no test has read ${path}`);
}
for (const { table, row, column, readers: ahead, unread } of gaps(allCells(entries), results)) {
  if (unread.every((path) => reasons[path] !== undefined)) continue;
  failures.push(`${table}: ${row}, ${column}: ${ahead.join(', ')} read more than we do`);
}
for (const path of Object.keys(reasons)) {
  if (ours.has(path)) failures.push(`${path} is read: take it out of fixtures/not-yet-read.json`);
}
const text = page(entries, results, reasons);
if (!values.check) writeFileSync(PAGE, text);
else if (readFileSync(PAGE, 'utf8') !== text)
  failures.push('docs/support.md is old: npm run support');
for (const failure of failures) console.error(failure);
const unknown = entries.filter(({ path }) => outcomes[path] === undefined);
if (unknown.length > 0) {
  console.error(
    `${unknown.length} fixtures without stored outcomes of peers: fixtures/peers/run.mjs`,
  );
}
process.exitCode = failures.length === 0 ? 0 : 1;
