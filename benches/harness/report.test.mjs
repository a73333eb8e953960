import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contestsOf } from './contests.mjs';
import { BOUNDS } from './bounds.mjs';
import { parseOptions } from './options.mjs';
import { plotsOf } from './plots.mjs';
import { PROGRAMS } from './programs.mjs';
import { runOfReadme, withTable } from './readme-table.mjs';
import { isSound, reportOf } from './report.mjs';

const line = (seconds, checksum = 7) => ({
  seconds,
  decodedBytes: 1e9,
  cpuSeconds: 1,
  machineCpuSeconds: 1,
  peakMemoryBytes: 2 ** 20,
  checksum,
});

function runWith(rows) {
  const contest = {
    id: 'whole/climate-zstd/hot',
    task: 'whole',
    dataSet: 'climate-zstd',
    cache: 'hot',
    startedAt: '2026-01-02T03:04:05.678Z',
    decodedBytes: 1e9,
    ratio: 2,
    note: '',
    rows,
  };
  const about = {
    date: '2026-01-02',
    cpu: 'a processor',
    cores: 2,
    memoryGiB: 8,
    kernel: 'Linux 6',
    fileSystem: 'ext4',
    hugePages: 'madvise',
    engine: { engine: 'uring', probe: 'works', threads: 2, memoryBytes: 2 ** 30 },
    hostMemory: { without: 1, with: 5 },
    versions: { zarr: '3' },
    missing: { zarrs: 'no network' },
    commit: 'abc',
    size: 'quick',
    rounds: 1,
    only: ['whole/'],
  };
  return { about, contests: [contest] };
}

const row = (program, seconds, checksum) => ({
  name: program,
  program,
  inner: 2,
  processes: [[line(seconds, checksum), line(seconds, checksum)]],
});

test('the report names what is missing, what failed, and each verdict', () => {
  const run = runWith([
    row('lsio', 1),
    row('direct', 0.5),
    { ...row('zarrita', 9), failure: 'bang' },
  ]);
  const text = reportOf(run);
  assert.match(text, /zarrs: no network/);
  assert.match(text, /only those with whole\/ in their name/);
  assert.match(text, /began between 2026-01-02T03:04:05\.678Z and/);
  assert.match(text, /zarrita \| FAILED: bang/);
  assert.match(text, /0\.50 of direct \| >= 0\.95 \| \*\*fell short\*\*/);
  assert.equal(isSound(run), false);
});

test('values that differ make the run unsound', () => {
  assert.equal(isSound(runWith([row('lsio', 1), row('direct', 1)])), true);
  const run = runWith([row('lsio', 1, 7), row('direct', 1, 8)]);
  assert.equal(isSound(run), false);
  assert.match(reportOf(run), /\*\*FAILED\*\* whole\/climate-zstd/);
});

test('the table of the README can be written again and names its run', () => {
  const run = runWith([row('lsio', 1), row('direct', 0.5), row('zarrs', 2), row('zarrita', 9)]);
  const readme =
    'before\n<!-- benchmark: written by npm run bench -->\n<!-- /benchmark -->\nafter\n';
  const once = withTable(readme, run, 'benches/runs/x');
  assert.match(
    once,
    /whole array \| climate-zstd \| 1\.00 \| 2\.00 \| 0\.50 \(zarrs\) \| 0\.11 \|/,
  );
  assert.equal(withTable(once, run, 'benches/runs/x'), once);
  assert.equal(runOfReadme(once), 'benches/runs/x');
  assert.throws(() => withTable('no place', run, 'x'));
});

test('the README says where a peer is ahead, and that the machine was slow', () => {
  const rows = [row('lsio', 1.01), row('direct', 0.98), row('zarrs', 1)];
  for (const { processes } of rows) processes.push([line(0.9), line(0.9)], [line(2), line(2)]);
  const place = '<!-- benchmark: written by npm run bench --><!-- /benchmark -->';
  const text = withTable(place, runWith(rows), 'benches/runs/x');
  assert.match(text, /Behind a peer's median.*\n\n.*climate-zstd 0\.99x zarrs, ranges overlap/);
  assert.match(text, /Not at its best.*direct on climate-zstd: 1\.02 GB\/s, reference 1\.5/);
});

test('plots are well-formed and have a bar for each program', () => {
  const [plot] = plotsOf(runWith([row('lsio', 1), row('direct', 0.5)]));
  assert.equal(plot.file, 'whole-hot.svg');
  assert.equal(plot.svg.match(/<rect /g).length, 2);
  assert.ok(!/NaN|undefined/.test(plot.svg));
});

test('every bound asks for contests and entries that a full run has', () => {
  const contests = new Map(contestsOf('full').map((contest) => [contest.id, contest]));
  for (const { task, contests: ids, own, checks } of BOUNDS) {
    for (const id of ids) {
      assert.ok(contests.has(id), `${task}: ${id}`);
      const names = new Set(contests.get(id).entries.map(({ name }) => name));
      for (const check of checks) {
        const wanted = check.own ?? own;
        if (wanted !== undefined) assert.ok(names.has(wanted), `${id}: ${wanted}`);
      }
    }
  }
});

test('every entry is a program that there is, and names are unique in a contest', () => {
  for (const size of ['quick', 'full']) {
    for (const { id, entries } of contestsOf(size)) {
      for (const { program } of entries) assert.ok(PROGRAMS[program], `${id}: ${program}`);
      assert.equal(new Set(entries.map(({ name }) => name)).size, entries.length, id);
    }
  }
});

test('wrong options are refused by name', () => {
  assert.throws(() => parseOptions(['--rounds', '0']), /--rounds 0/);
  assert.throws(() => parseOptions(['--size', 'huge']), /--size huge/);
  assert.equal(parseOptions([]).rounds, 7);
});
