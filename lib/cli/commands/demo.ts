// lsio demo: the main job, shown on data of its own, then on data that another writer made.

import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { engineInfo, open, openArray, type LsioArray, type LsioGroup } from '../../index.js';
import type { CommandContext, Report } from '../command-context.js';
import { readsTable, type DemoRead } from '../demo-report.js';
import { formatBytes, formatSeconds, formatShape, plural } from '../format.js';
import { measureRead } from '../measured-read.js';
import { configureEngine } from '../opening.js';
import { PACKAGE_ROOT } from '../package-version.js';
import { printedText } from '../printed-values.js';
import { dropCache, writeSampleField } from '../sample-field.js';
import { fitSelection } from '../selection-text.js';
import { TemporaryDirectory } from '../temporary-directory.js';
import { drawMap, drawScale, fieldRange, mapRows, type Field } from '../terminal-map.js';
import { asWorldMap } from '../world-map.js';

/** f_type of tmpfs (statfs(2)): its files are memory, so they cannot be made cold. */
const TMPFS_MAGIC = 0x01021994;

/** What the demonstration works with. */
interface Demo {
  readonly context: CommandContext;
  readonly folder: string;
  /** Tells people what happens; programs get it all at the end. */
  readonly say: (text: string) => Promise<void>;
}

/** Shows everything, in order, and removes its data. */
export async function run(context: CommandContext): Promise<Report> {
  const { options, output } = context;
  configureEngine(options);
  const temporary = new TemporaryDirectory('lsio-demo-', options.directory ?? undefined);
  const say = async (text: string): Promise<void> => {
    context.progress.clear();
    if (!options.json) await output.write(text);
  };
  let finished = false;
  try {
    const document = await show({ context, folder: temporary.path, say });
    finished = true;
    return { document, text: options.keep ? `\nThe data is in ${temporary.path}\n` : '' };
  } finally {
    if (options.keep && finished) temporary.keep();
    else await temporary.remove();
  }
}

async function show(demo: Demo): Promise<unknown> {
  const { context, folder, say } = demo;
  const written = await write(demo);
  const node = await open(folder, { signal: context.signal });
  const array = await fieldOf(node, context.signal);
  const stored = await array.storedBytes({ signal: context.signal });
  const decoded = array.nbytes ?? 0;
  const chunkCount = array.chunkGridShape.reduce((product, length) => product * length, 1);
  await say(
    `Wrote ${formatBytes(decoded)} of ${titleOf(array)} as Zarr ${array.zarrFormat} in ` +
      `${formatSeconds(written)}: ${formatShape(array.shape)} ${array.dtype},\n` +
      `${plural(chunkCount, 'chunk')}, ${formatBytes(stored)} stored, ` +
      `${(decoded / stored).toFixed(2)} times smaller.\n\n`,
  );
  const reads = await readTwice(array, demo);
  const mean = await takeMean(array, demo);
  const map = await draw(node, array, demo);
  const committed = await readCommitted(demo);
  return {
    folder: context.options.keep ? folder : null,
    field: {
      path: array.path,
      dtype: array.dtype,
      shape: array.shape,
      chunks: array.chunks,
      chunkCount,
      decodedBytes: decoded,
      storedBytes: stored,
      writeSeconds: written,
    },
    reads,
    mean,
    map,
    committed,
  };
}

/** Writes the sample data; returns how many seconds that took. */
async function write({ context, folder }: Demo): Promise<number> {
  const { options, progress, signal } = context;
  progress.start('writing');
  const startedAt = performance.now();
  await writeSampleField(
    { directory: folder, bytes: options.size, seed: options.seed },
    signal,
    (bytes) => {
      progress.update(bytes, options.size);
    },
  );
  return (performance.now() - startedAt) / 1e3;
}

/** The field itself: the array with most dimensions among those that were written. */
async function fieldOf(node: LsioArray | LsioGroup, signal: AbortSignal): Promise<LsioArray> {
  if (node.kind === 'array') return node;
  const arrays = (await node.members({ signal }))
    .filter((member) => member.kind === 'array')
    .map(({ array }) => array);
  const [field] = arrays.toSorted((a, b) => b.shape.length - a.shape.length);
  if (field === undefined) throw new Error(`there is no array in ${node.path}`);
  return field;
}

async function readTwice(array: LsioArray, { context, folder, say }: Demo): Promise<DemoRead[]> {
  const { progress, signal } = context;
  const readOnce = async (cache: 'hot' | 'cold', io: 'auto' | 'direct'): Promise<DemoRead> => {
    progress.start(`reading, ${cache}`);
    const measured = await measureRead(array, io, signal, (bytes) => {
      progress.update(bytes, array.nbytes ?? 0);
    });
    return { cache, io, engine: engineInfo().engine, ...measured };
  };
  const hot = await readOnce('hot', 'auto');
  await dropCache(folder);
  signal.throwIfAborted();
  const reads = [hot, await readOnce('cold', 'direct')];
  await say(`${readsTable(reads)}\n`);
  if ((await statfs(folder)).type === TMPFS_MAGIC) {
    await say(
      `${folder} is in memory (tmpfs): nothing there is cold. --dir takes a folder on a disk.\n\n`,
    );
  }
  return reads;
}

async function takeMean(
  array: LsioArray,
  { context, say }: Demo,
): Promise<{ readonly value: number; readonly units: string; readonly seconds: number }> {
  const startedAt = performance.now();
  const value = await array.mean({ signal: context.signal });
  const seconds = (performance.now() - startedAt) / 1e3;
  const units = unitsOf(array);
  await say(`Mean of all values: ${value.toFixed(3)} ${units}, in ${formatSeconds(seconds)}.\n\n`);
  return { value, units, seconds };
}

async function draw(
  node: LsioArray | LsioGroup,
  array: LsioArray,
  { context, say }: Demo,
): Promise<unknown> {
  const { signal, columns, rows, colours } = context;
  const step = (array.shape[0] ?? 0) >> 1;
  const { data, shape } = await array.get([step, null, null], { signal });
  const [fieldRows = 0, fieldColumns = 0] = shape;
  const coordinates = {
    latitudes: await coordinateOf(node, ['latitude', 'lat'], signal),
    longitudes: await coordinateOf(node, ['longitude', 'lon'], signal),
  };
  const plain: Field = { data: data as Float32Array, rows: fieldRows, columns: fieldColumns };
  const field = asWorldMap(plain, coordinates);
  const range = fieldRange(field);
  if (range === null) return { step, min: null, max: null };
  const mapColumns = Math.min(columns, MAX_MAP_COLUMNS);
  // Two lines of text for each character's height; some room for the lines around the map.
  const pixelRows = mapRows(field, mapColumns, Math.max(2, (rows - 6) * 2));
  await say(
    `Time step ${step}: ${titleOf(array)}\n` +
      drawMap(field, mapColumns, pixelRows, range, colours) +
      `${drawScale(mapColumns, range, unitsOf(array), colours)}\n`,
  );
  return { step, min: range[0], max: range[1] };
}

/** Wider maps do not show more of the field. */
const MAX_MAP_COLUMNS = 160;

async function coordinateOf(
  node: LsioArray | LsioGroup,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ArrayLike<number> | null> {
  if (node.kind === 'array') return null;
  const members = await node.members({ signal });
  const member = members.find(({ name }) => names.includes(name));
  if (member?.kind !== 'array' || !member.array.is('number')) return null;
  return (await member.array.get(null, { signal })).data;
}

/** Reads a small array that zarr-python wrote; it is in the checkout, not in the package. */
async function readCommitted({ context, say }: Demo): Promise<unknown> {
  const store = new URL('fixtures/data/demo', PACKAGE_ROOT);
  if (!existsSync(store)) return null;
  const { signal } = context;
  context.progress.start('reading');
  const array = await openArray(store, { path: 'air_temperature', signal });
  const mean = await array.mean({ signal });
  const values = await printedText(array, fitSelection([], array.shape), context);
  await say(
    `${titleOf(array)} in fixtures/data/demo, as zarr-python wrote it: ` +
      `${formatShape(array.shape)} ${array.dtype}, mean ${mean.toFixed(3)} ${unitsOf(array)}\n` +
      `${values}\n`,
  );
  const first = await array.get([0, { start: 0, stop: 4 }], { signal });
  return { path: fileURLToPath(store), shape: array.shape, mean, firstValues: first.data };
}

function titleOf({ attrs, path }: LsioArray): string {
  const name = attrs['long_name'] ?? attrs['standard_name'];
  return typeof name === 'string' ? name : path;
}

function unitsOf({ attrs }: LsioArray): string {
  return typeof attrs['units'] === 'string' ? attrs['units'] : '';
}
