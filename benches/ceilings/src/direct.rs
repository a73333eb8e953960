//! `direct`: reads, decodes and places the whole array, or hands its chunks out, with nothing else around it.

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::{Array, Codec};
use crate::files::Files;
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::reduce;
use crate::shared_bytes::SharedBytes;
use crate::threads::{Counter, cores, on_threads};
use crate::worker::{Choices, Worker};
use crate::{read_ahead, ring_reader, uncompressed};

/// The whole array into one result on huge pages, which the first round allocates.
pub(crate) fn whole(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let choices = Choices::of(arguments)?;
    let threads = arguments.option("threads", cores())?;
    // How the bytes come: from the page cache, past it, or cold through it.
    let io = arguments.option("io", "hot".to_owned())?;
    let mut workers = Worker::several(threads, array, choices)?;
    let mut readers = match io.as_str() {
        "direct" => ring_reader::RingReader::several(threads, array, arguments)?,
        _ => Vec::new(),
    };
    let mut kept: Option<HugePages> = None;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let mut result = HugePages::kept_or_new(kept.take(), array.decoded_bytes())?;
        let target = SharedBytes::new(result.bytes_mut());
        let counter = Counter::default();
        match io.as_str() {
            "direct" => {
                let files = Files::new(array, true);
                let mut pairs: Vec<_> = readers.iter_mut().zip(&mut workers).collect();
                on_threads(&mut pairs, |(reader, worker)| {
                    let mut place = worker.place();
                    reader.run(&files, &counter, |unit, bytes| {
                        unit.chunks(bytes, |inner, encoded| {
                            place.decode_into(array, unit.file, inner, encoded, target)
                        })
                    })
                })?;
            }
            "hot" if array.codec == Codec::Raw && !array.sharded => {
                uncompressed::whole(arguments, array, &mut workers, target)?;
            }
            "hot" | "auto" | "buffered" => {
                let files = Files::new(array, false);
                let hot = io == "hot";
                read_ahead::beside(!hot, array, &counter, || {
                    on_threads(&mut workers, |worker| {
                        while let Some(unit) = files.unit(counter.next())? {
                            worker.read(&unit, |place, inner, encoded| {
                                place.decode_into(array, unit.file, inner, encoded, target)
                            })?;
                        }
                        Ok(())
                    })
                })?;
            }
            other => return Err(format!("io={other}: hot, direct, auto or buffered").into()),
        }
        let elapsed = running.stop()?;
        let checksum = Some(array.checksum(result.bytes()));
        let decoded_bytes = array.decoded_bytes();
        rounds.print(&elapsed, &Outcome { decoded_bytes, checksum, ..Outcome::default() })?;
        kept = Some(result);
    }
    Ok(())
}

/// Every chunk into a buffer that is re-used, one element looked at in each 4 KiB.
pub(crate) fn chunks(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let mut workers =
        Worker::several(arguments.option("threads", cores())?, array, Choices::of(arguments)?)?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let (files, counter) = (Files::new(array, false), Counter::default());
        let sums = on_threads(&mut workers, |worker| {
            let (mut sum, mut chunks) = (0, 0);
            while let Some(unit) = files.unit(counter.next())? {
                worker.read(&unit, |place, _, encoded| {
                    let decoded = place.decode(encoded)?;
                    sum += array.checksum(decoded);
                    chunks += 1;
                    Ok(())
                })?;
            }
            Ok((sum, chunks))
        })?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes: array.decoded_bytes(),
            checksum: Some(sums.iter().map(|part| part.0).sum()),
            more: vec![("chunks", sums.iter().map(|part| part.1).sum())],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}

/// The mean of all elements: each chunk is decoded into the cache and summed there.
pub(crate) fn mean(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let mut workers =
        Worker::several(arguments.option("threads", cores())?, array, Choices::of(arguments)?)?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let (files, counter) = (Files::new(array, false), Counter::default());
        let sums = on_threads(&mut workers, |worker| {
            let mut sum = 0.0;
            while let Some(unit) = files.unit(counter.next())? {
                worker.read(&unit, |place, _, encoded| {
                    let decoded = place.decode(encoded)?;
                    sum += reduce::sum(array.element, decoded);
                    Ok(())
                })?;
            }
            Ok(sum)
        })?;
        let elapsed = running.stop()?;
        let decoded_bytes = array.decoded_bytes();
        let elements = decoded_bytes / array.element.size();
        let mean = Some(sums.iter().sum::<f64>() / elements as f64);
        rounds.print(&elapsed, &Outcome { decoded_bytes, mean, ..Outcome::default() })?;
    }
    Ok(())
}
