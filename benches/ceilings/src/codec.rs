//! `codec`: decodes all chunks from memory on all cores, each thread into a buffer of its own.

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::Array;
use crate::files::{Files, read_at};
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::threads::{Counter, cores, on_threads};
use crate::worker::{Choices, Worker};

pub(crate) fn codec(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let (memory, ranges) = load(array)?;
    let mut workers =
        Worker::several(arguments.option("threads", cores())?, array, Choices::of(arguments)?)?;
    let mut rounds = Rounds::new(&arguments.task)?;
    let chunks = arguments.task == "chunks";
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let counter = Counter::default();
        let sums = on_threads(&mut workers, |worker| {
            let mut place = worker.place();
            let mut sum = 0;
            while let Some(&(start, len)) = ranges.get(counter.next()) {
                let encoded = &memory.bytes()[start..start + len];
                let decoded = place.decode(encoded)?;
                if chunks {
                    sum += array.checksum(decoded);
                }
            }
            Ok(sum)
        })?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes: array.decoded_bytes(),
            checksum: chunks.then(|| sums.iter().sum()),
            more: vec![("storedBytes", ranges.iter().map(|range| range.1).sum())],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}

/// All encoded chunks in memory, and where each of them lies.
fn load(array: &Array) -> Result<(HugePages, Vec<(usize, usize)>), Failure> {
    let files = Files::new(array, false);
    let mut memory = HugePages::new(array.stored_bytes()? + files.unit_bound())?;
    let (mut ranges, mut at, mut number) = (Vec::new(), 0, 0);
    while let Some(unit) = files.unit(number)? {
        let buffer = &mut memory.bytes_mut()[at..at + unit.len];
        let len = read_at(unit.file(), buffer, unit.offset)?;
        let start = buffer.as_ptr() as usize;
        unit.chunks(&buffer[..len], |_, encoded| {
            ranges.push((at + encoded.as_ptr() as usize - start, encoded.len()));
            Ok(())
        })?;
        at += len;
        number += 1;
    }
    Ok((memory, ranges))
}
