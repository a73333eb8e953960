//! Chunks that go into a result piece by piece.

use std::sync::{Arc, Mutex, mpsc};

use lsio_array::{
    ChunkErrorKind, Decoded, Destination, OutputBuffer, ResolvedSelection, TouchedChunks,
};
use lsio_compute::{CopyOutput, RunError, RunOptions, SourceHandle};
use lsio_io::Lease;

use crate::shared_chunks::Busy;
use crate::test_source::{ELEMENTS, World, elements, elements_of};
use crate::unsafe_output::leased;

const CHUNKS: u64 = 9;

/// Elements of a row of a chunk.
const ROW: u64 = 4;

/// Bytes of a piece: neither rows nor elements are whole.
const PIECE: usize = 45;

/// Ways in which chunks were asked for, in order.
type Seen = Arc<Mutex<Vec<&'static str>>>;

/// Chunks of rows, of which `len` bytes are shown in pieces.
fn source(world: &World, len: usize) -> (Arc<SourceHandle>, Seen) {
    let seen = Seen::default();
    let mut source = world.source(CHUNKS);
    source.info.shape = vec![CHUNKS * ELEMENTS / ROW, ROW];
    source.info.chunk_shape = vec![ELEMENTS / ROW, ROW];
    source.info.axis_order = vec![0, 1];
    source.info.comes_in_pieces = true;
    let ways = seen.clone();
    source.decode = Box::new(move |call| {
        let way = match call.destination {
            Destination::Pieces(take) => {
                let mut bytes = call.encoded[0].to_vec();
                bytes.resize(len, 0);
                bytes.chunks(PIECE).for_each(take);
                "pieces"
            }
            Destination::Fixed(target) => {
                target.copy_from_slice(call.encoded[0]);
                "whole"
            }
            Destination::Variable(_) => "variable",
        };
        ways.lock().unwrap().push(way);
        Ok(Decoded::Complete)
    });
    (world.register(source), seen)
}

type End = mpsc::Receiver<Result<Option<Lease>, RunError>>;

/// Starts to read the whole array into rows of a result that are `width` elements apart.
fn get(world: &World, source: &Arc<SourceHandle>, width: u64) -> End {
    let rows = CHUNKS * ELEMENTS / ROW;
    let mut lease = world.memory.hold((rows * width * 8) as usize).unwrap();
    lease.fill(0xee);
    let buffer: OutputBuffer = leased(lease);
    let selection = ResolvedSelection::all(source.grid().shape());
    let plan = Arc::new(TouchedChunks::new(source.grid().clone(), selection).unwrap());
    let outputs = [CopyOutput { offset: 0, shape: vec![rows, width] }];
    let (sender, end) = mpsc::channel();
    let done = Box::new(move |result| drop(sender.send(result)));
    let options = RunOptions::default();
    world.executor.copy_into(source.clone(), plan, &outputs, buffer, options, done).unwrap();
    end
}

fn rows_of(end: &End, width: u64) -> Vec<u64> {
    let elements = elements_of(&end.recv().unwrap().unwrap().unwrap());
    let rows = elements.chunks(width as usize);
    rows.flat_map(|row| {
        let (row, room) = row.split_at(ROW as usize);
        assert!(room.iter().all(|element| element.to_ne_bytes() == [0xee; 8]));
        row.to_vec()
    })
    .collect()
}

fn all_elements() -> Vec<u64> {
    (0..CHUNKS).flat_map(elements).collect()
}

#[test]
fn a_chunk_in_pieces_lands_where_a_whole_one_does() {
    for threads in [1, 3] {
        let world = World::new(threads, 1 << 20);
        world.put_chunks(CHUNKS);
        let (source, seen) = source(&world, ELEMENTS as usize * 8);
        assert_eq!(rows_of(&get(&world, &source, ROW + 3), ROW + 3), all_elements());
        assert_eq!(*seen.lock().unwrap(), ["pieces"; CHUNKS as usize]);
        // All of a chunk lies in one place of this one, so it is decoded there.
        assert_eq!(rows_of(&get(&world, &source, ROW), ROW), all_elements());
        assert_eq!(seen.lock().unwrap()[CHUNKS as usize..], ["whole"; CHUNKS as usize]);
    }
}

#[test]
fn pieces_that_do_not_make_up_the_chunk_are_an_error() {
    let len = ELEMENTS as usize * 8;
    for shown in [0, len - 1, len + 1, 2 * len] {
        let world = World::new(1, 1 << 20);
        world.put_chunks(CHUNKS);
        let (source, _) = source(&world, shown);
        let error = get(&world, &source, ROW + 1).recv().unwrap().unwrap_err();
        let RunError::Chunk(error) = error else { panic!("{error}") };
        let ChunkErrorKind::Length { expected, actual } = error.kind else { panic!("{error}") };
        assert_eq!((expected, actual), (len as u64, shown as u64));
    }
}

#[test]
fn a_chunk_that_others_may_want_is_decoded_as_a_whole() {
    let world = World::new(1, 1 << 20);
    world.put_chunks(CHUNKS);
    let (source, seen) = source(&world, ELEMENTS as usize * 8);
    let busy = Busy::new(&world);
    let ends = [get(&world, &source, ROW + 1), get(&world, &source, ROW + 2)];
    busy.end();
    assert_eq!(rows_of(&ends[0], ROW + 1), all_elements());
    assert_eq!(rows_of(&ends[1], ROW + 2), all_elements());
    assert_eq!(seen.lock().unwrap()[0], "whole");
}
