// A kept run: a folder with every figure, the report and its plots; and the README's table from it.

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { root } from '../../scripts/child-process.mjs';
import { plotsOf } from './plots.mjs';
import { runOfReadme, withTable } from './readme-table.mjs';
import { reportOf } from './report.mjs';

const README = join(root, 'README.md');

export const readRun = (folder) => JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));

/** Writes the figures of a run: all that the rest is made from. */
export function writeFigures(folder, run) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'run.json'), `${JSON.stringify(run)}\n`);
}

/** Writes a run, and what is made from it, anew. */
export function writeRun(folder, run) {
  writeFigures(folder, run);
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.svg')) rmSync(join(folder, file));
  }
  const plots = plotsOf(run);
  writeFileSync(join(folder, 'README.md'), reportOf(run, plots));
  for (const { file, svg } of plots) writeFileSync(join(folder, file), svg);
}

/** Puts the table of a kept run into the README. */
export function writeReadmeTable(folder, run) {
  const link = relative(root, folder).split(sep).join('/');
  writeFileSync(README, withTable(readFileSync(README, 'utf8'), run, link));
}

/**
 * What is not as it would be written from the run that the README's table names. Before a run was kept, the
 * README names none, and there is nothing to compare.
 */
export function staleFiles() {
  const readme = readFileSync(README, 'utf8');
  const link = runOfReadme(readme);
  if (link === undefined) return [];
  const folder = join(root, link);
  const run = readRun(folder);
  const plots = plotsOf(run);
  const expected = [
    [README, withTable(readme, run, link)],
    [join(folder, 'README.md'), reportOf(run, plots)],
    ...plots.map(({ file, svg }) => [join(folder, file), svg]),
  ];
  return expected
    .filter(([file, text]) => readFileSync(file, 'utf8') !== text)
    .map(([file]) => relative(root, file));
}
