// What a fixture shows: its codecs, from its own metadata, and the features that its manifest says it covers.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { data } from '../../fixtures/entries.mjs';

/** Codecs that say nothing of their own: they are in every chain. */
const SILENT = new Set(['bytes', 'sharding_indexed']);

/** The names of the codecs of a fixture, each once; `none` for elements that are stored as they are. */
export function codecsOf({ path, zarrFormat }) {
  const document = zarrFormat === 3 ? 'zarr.json' : '.zarray';
  const metadata = JSON.parse(unrounded(readFileSync(join(data, path, document), 'utf8')));
  const names = zarrFormat === 3 ? codecs3(metadata.codecs) : codecs2(metadata);
  const spoken = new Set(names.map(plainName).filter((name) => !SILENT.has(name)));
  return spoken.size === 0 ? ['none'] : [...spoken];
}

/** Metadata may hold NaN, which some writers put there. */
function unrounded(text) {
  return text.replaceAll(/(?<=[:[,]\s*)(NaN|-?Infinity)(?=\s*[,\]}])/g, 'null');
}

function codecs3(codecs) {
  return codecs.flatMap((codec) => {
    const { name = codec, configuration = {} } = codec;
    const inner = name === 'sharding_indexed' ? codecs3(configuration.codecs) : [];
    return [detailed(name, configuration), ...inner];
  });
}

function codecs2({ filters, compressor, order }) {
  const chain = [...(filters ?? []), ...(compressor === null ? [] : [compressor])];
  return [
    ...(order === 'F' ? ['transpose'] : []),
    ...chain.map(({ id, ...configuration }) => detailed(id, configuration)),
  ];
}

/** Blosc is as many codecs as it has compressors inside. */
function detailed(name, { cname }) {
  return /(^|\.)blosc$/.test(name) && cname !== undefined ? `blosc ${cname}` : name;
}

/** Without the prefixes that one codec may have; `crc32c` of both kinds is one. */
function plainName(name) {
  return name.replace(/^(numcodecs|imagecodecs|zarrs|org\.[a-z]+)[./]/, '');
}

/** Covered things that are columns or rows of the first table already, or of every fixture. */
const OF_THE_FIRST_TABLE = /^(dtype|codec):/;

/** The features of a fixture. */
export function featuresOf({ covers = [], path, writer }) {
  const named = covers.filter((feature) => !OF_THE_FIRST_TABLE.test(feature));
  return named.length > 0 ? named : [`data types by ${writer ?? path.split('/')[0]}`];
}
