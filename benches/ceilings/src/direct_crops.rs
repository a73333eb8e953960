//! `direct crops-many`: each chunk that crops lie in is decoded once, and all its parts are copied out.

use std::ptr;

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::{Array, Codec, grid};
use crate::crops::{SIDE, checksum, places};
use crate::files::Files;
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::shared_bytes::SharedBytes;
use crate::threads::{Counter, cores, on_threads};
use crate::worker::{Choices, Worker};

/// A chunk, by its place in the grid of chunks, and the numbers of the crops that lie in it.
struct Touched<'a> {
    chunk: [usize; 3],
    crops: &'a [(usize, usize)],
}

pub(crate) fn crops(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let mut workers =
        Worker::several(arguments.option("threads", cores())?, array, Choices::of(arguments)?)?;
    let [1, shape @ ..] = array.shape else { return Err("crops of three dimensions only".into()) };
    let places = places(shape);
    let crop_bytes = SIDE * SIDE * array.element.size();
    let mut kept: Option<HugePages> = None;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let mut result = HugePages::kept_or_new(kept.take(), places.len() * crop_bytes)?;
        let pairs = chunks_of_crops(array, &places);
        let touched = by_chunk(array, &pairs);
        let (files, counter, target) =
            (Files::new(array, false), Counter::default(), SharedBytes::new(result.bytes_mut()));
        on_threads(&mut workers, |worker| {
            while let Some(touched) = touched.get(counter.next()) {
                let [z, y, x] = touched.chunk;
                let (file, inner) = array.locate([0, z, y, x]);
                let unit = files.unit_of_chunk(file, inner)?;
                worker.read(&unit, |place, _, encoded| {
                    let raw = array.codec == Codec::Raw;
                    let decoded = if raw { encoded } else { place.decode(encoded)? };
                    for &(_, crop) in touched.crops {
                        copy_part(array, touched.chunk, decoded, (crop, places[crop]), target);
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes: places.len() * crop_bytes,
            checksum: Some(checksum(array.element.size(), result.bytes())),
            more: vec![
                ("chunks", touched.len()),
                ("touchedBytes", touched.len() * array.chunk_bytes()),
            ],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
        kept = Some(result);
    }
    Ok(())
}

/// Pairs of a chunk's number and a crop that lies in it, sorted.
fn chunks_of_crops(array: &Array, places: &[[usize; 3]]) -> Vec<(usize, usize)> {
    let [_, chunk @ ..] = array.chunk;
    let [_, counts @ ..] = grid(array.shape, array.chunk);
    let mut pairs = Vec::with_capacity(places.len() * 4);
    for (crop, [z, y, x]) in places.iter().enumerate() {
        for b in y / chunk[1]..=(y + SIDE - 1) / chunk[1] {
            for c in x / chunk[2]..=(x + SIDE - 1) / chunk[2] {
                pairs.push(((z / chunk[0] * counts[1] + b) * counts[2] + c, crop));
            }
        }
    }
    pairs.sort_unstable();
    pairs
}

fn by_chunk<'a>(array: &Array, pairs: &'a [(usize, usize)]) -> Vec<Touched<'a>> {
    let [_, counts @ ..] = grid(array.shape, array.chunk);
    pairs
        .chunk_by(|first, second| first.0 == second.0)
        .map(|crops| {
            let number = crops[0].0;
            let rest = number / counts[2];
            let chunk = [rest / counts[1], rest % counts[1], number % counts[2]];
            Touched { chunk, crops }
        })
        .collect()
}

/// Copies what a crop and a chunk have in common.
fn copy_part(
    array: &Array,
    at: [usize; 3],
    decoded: &[u8],
    (crop, [z, y, x]): (usize, [usize; 3]),
    target: SharedBytes,
) {
    let [_, chunk @ ..] = array.chunk;
    let size = array.element.size();
    let origin: [usize; 3] = std::array::from_fn(|axis| at[axis] * chunk[axis]);
    let rows = y.max(origin[1])..(y + SIDE).min(origin[1] + chunk[1]);
    let first = x.max(origin[2]);
    let len = ((x + SIDE).min(origin[2] + chunk[2]) - first) * size;
    for row in rows {
        let within = ((z - origin[0]) * chunk[1] + row - origin[1]) * chunk[2] + first - origin[2];
        let offset = ((crop * SIDE + row - y) * SIDE + first - x) * size;
        let source = &decoded[within * size..][..len];
        // SAFETY: in bounds by the checks of `at` and of the slice; parts of crops never overlap.
        unsafe { ptr::copy_nonoverlapping(source.as_ptr(), target.at(offset, len), len) };
    }
}
