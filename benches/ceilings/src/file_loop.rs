//! `fs-loop`: open, statx, read and close for each file of an array, on as many threads as cores.
//! `pread-hot`: reads all bytes of an array's files, or of a folder's, from the page cache.

use std::ffi::CString;
use std::fs::File;

use crate::Failure;
use crate::arguments::Arguments;
use crate::array::{Array, checksum};
use crate::files::{open, read_at};
use crate::huge_pages::HugePages;
use crate::measurement::{Outcome, Rounds};
use crate::ranges;
use crate::threads::{Counter, cores, on_threads};

/// Bytes of one pread of `pread-hot`: a buffer that stays in the L2 cache.
const PIECE: usize = 256 << 10;

pub(crate) fn each_file(arguments: &Arguments, array: &Array) -> Result<(), Failure> {
    let threads = arguments.option("threads", cores())?;
    let one = |_| HugePages::new(array.encoded_bound());
    let mut buffers = (0..threads).map(one).collect::<Result<Vec<_>, _>>()?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let counter = Counter::default();
        let parts = on_threads(&mut buffers, |buffer| {
            let (mut bytes, mut sum) = (0, 0);
            while let Some(path) = array.paths.get(counter.next()) {
                let file = open(path, false)?;
                // `metadata` of an open file is one statx call.
                let len = file.metadata()?.len() as usize;
                let buffer = &mut buffer.bytes_mut()[..len];
                if read_at(&file, buffer, 0)? != len {
                    return Err("a file is cut".into());
                }
                bytes += len;
                sum += checksum(array.element.size(), buffer);
            }
            Ok((bytes, sum))
        })?;
        let elapsed = running.stop()?;
        let outcome = Outcome {
            decoded_bytes: array.decoded_bytes(),
            checksum: Some(parts.iter().map(|part| part.1).sum()),
            more: vec![
                ("chunks", array.paths.len()),
                ("storedBytes", parts.iter().map(|part| part.0).sum()),
            ],
            ..Outcome::default()
        };
        rounds.print(&elapsed, &outcome)?;
    }
    Ok(())
}

pub(crate) fn from_page_cache(arguments: &Arguments) -> Result<(), Failure> {
    let (files, decoded_bytes) = if arguments.task == "ranges" {
        let files = ranges::files(&arguments.data_set)?;
        let bytes = files.iter().map(|file| file.1).sum();
        (files, bytes)
    } else {
        let array = Array::open(&arguments.data_set)?;
        let len = |path: &CString| Ok::<_, Failure>(std::fs::metadata(path.to_str()?)?.len());
        let files = array.paths.iter().map(|path| Ok((path.clone(), len(path)? as usize)));
        (files.collect::<Result<Vec<_>, Failure>>()?, array.decoded_bytes())
    };
    let pieces = ranges::in_order(&files, arguments.option("piece", PIECE)?);
    let longest = pieces.iter().map(|piece| piece.len).max().unwrap_or(0);
    let threads = arguments.option("threads", cores())?;
    let one = |_| HugePages::new(longest);
    let mut buffers = (0..threads).map(one).collect::<Result<Vec<_>, _>>()?;
    let mut rounds = Rounds::new(&arguments.task)?;
    for _ in 0..arguments.rounds {
        let running = rounds.start()?;
        let opened =
            files.iter().map(|(path, _)| open(path, false)).collect::<Result<Vec<File>, _>>()?;
        let counter = Counter::default();
        let parts = on_threads(&mut buffers, |buffer| {
            let mut bytes = 0;
            while let Some(piece) = pieces.get(counter.next()) {
                let buffer = &mut buffer.bytes_mut()[..piece.len];
                bytes += read_at(&opened[piece.file], buffer, piece.offset)?;
            }
            Ok(bytes)
        })?;
        let elapsed = running.stop()?;
        let more = vec![("storedBytes", parts.iter().sum())];
        rounds.print(&elapsed, &Outcome { decoded_bytes, more, ..Outcome::default() })?;
    }
    Ok(())
}
