//! Decoded chunks as functions and readers see them.

use lsio_array::{
    ChunkErrorKind, Placement, StridedCopy, TaskInput, VariableChunk, c_strides, copy_runs,
};
use lsio_io::{Lease, Reservation, class_size};

use crate::SourceHandle;
use crate::operation::{DecodedInput, InputMemory};
use crate::stats::{Counters, add};

/// The selected elements of one chunk.
#[derive(Debug)]
pub struct ChunkData {
    /// Number of the task.
    pub number: u64,
    /// Grid coordinates of the chunk.
    pub chunk: Vec<u64>,
    /// Where the first element lies in the result of the selection, per dimension of the array
    /// (dimensions that an integer dropped included).
    pub origin: Vec<u64>,
    /// Elements per dimension of the array (1 for dropped dimensions).
    pub shape: Vec<u64>,
    /// Distance in elements between neighbours, per dimension of the array.
    pub strides: Vec<u64>,
    /// The elements.
    pub values: ChunkValues,
    /// Whether the chunk does not exist: all elements are the fill value.
    pub missing: bool,
}

/// Elements of a chunk.
#[derive(Debug)]
pub enum ChunkValues {
    /// Elements of one size in native byte order; nothing but the elements.
    Fixed(Lease),
    /// Elements of varying length, in C order, and the memory that they are charged.
    Variable(VariableChunk, Reservation),
}

impl ChunkData {
    /// The bytes of fixed-size elements, laid out by [`strides`](Self::strides); empty for elements of
    /// varying length.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.values {
            ChunkValues::Fixed(lease) => lease,
            ChunkValues::Variable(..) => &[],
        }
    }

    /// Bytes of memory that the elements take.
    #[must_use]
    pub fn charged(&self) -> u64 {
        match &self.values {
            ChunkValues::Fixed(lease) => lease.charged(),
            ChunkValues::Variable(_, reservation) => reservation.bytes(),
        }
    }

    /// Counts the memory of all these chunks as the user's from now on.
    pub(crate) fn hold_all(chunks: &mut [Self]) {
        Lease::hold_all(chunks.iter_mut().filter_map(|chunk| match &mut chunk.values {
            ChunkValues::Fixed(lease) => Some(lease),
            ChunkValues::Variable(..) => None,
        }));
        for chunk in chunks {
            if let ChunkValues::Variable(_, reservation) = &mut chunk.values {
                *reservation = reservation.take(reservation.bytes()).into_held();
            }
        }
    }
}

/// Most bytes that [`gather`] needs for an input.
pub(crate) fn gather_needs(
    input: &TaskInput,
    handle: &SourceHandle,
    InputMemory { decoded, shared }: InputMemory,
) -> u64 {
    let Some(element) = handle.element else { return decoded.saturating_mul(2) };
    let Some(placement) = input.placements.first() else { return decoded };
    if placement.covers(handle.grid.chunk_shape()) {
        let copy = if shared { class_size(handle.source.info().decoded_len) } else { 0 };
        return decoded.saturating_add(copy);
    }
    let shape = placement.shape().unwrap_or_default();
    let region = shape.iter().fold(element as u64, |bytes, &len| bytes.saturating_mul(len));
    decoded.saturating_add(class_size(region))
}

/// Brings the selected elements of a decoded chunk together: the decoded buffer itself where all of it
/// is selected, else a copy in C order.
pub(crate) fn gather(
    number: u64,
    input: &TaskInput,
    handle: &SourceHandle,
    decoded: DecodedInput,
    reservation: &mut Reservation,
    counters: &Counters,
) -> Result<ChunkData, ChunkErrorKind> {
    let placement = input.placements.first().ok_or_else(|| internal("it has no placement"))?;
    let region = placement.shape().zip(placement.origin());
    let (shape, origin) = region.ok_or_else(|| internal("it does not go to one region"))?;
    let contiguous = || c_strides(&shape).ok_or_else(|| internal("its strides overflow"));
    let info = handle.source.info();
    let missing = matches!(decoded, DecodedInput::Missing);
    let covers = placement.covers(handle.grid.chunk_shape());
    let copied = |source: &[u8], element, reservation: &mut Reservation| {
        // All of a chunk is copied as it lies.
        let strides = if covers { handle.strides.clone() } else { contiguous()? };
        let mut lease = lease(reservation, &shape, element)?;
        if !copy_to(placement, handle, source, element, (&mut lease, &strides)) {
            return Err(internal("its region is outside the chunk"));
        }
        add(&counters.bytes_copied, lease.len() as u64);
        Ok((strides, ChunkValues::Fixed(lease)))
    };
    let (strides, values) = match (decoded, handle.element) {
        (DecodedInput::Fixed(lease), Some(_)) if covers => {
            (handle.strides.clone(), ChunkValues::Fixed(lease))
        }
        (DecodedInput::Fixed(source), Some(element)) => copied(&source, element, reservation)?,
        (DecodedInput::Shared(source), Some(element)) => copied(&source, element, reservation)?,
        (DecodedInput::Missing, Some(element)) => {
            let contiguous = contiguous()?;
            let mut lease = lease(reservation, &shape, element)?;
            for target in lease.chunks_exact_mut(element) {
                target.copy_from_slice(&info.fill_value);
            }
            (contiguous, ChunkValues::Fixed(lease))
        }
        (DecodedInput::Variable(chunk), None) => {
            let contiguous = contiguous()?;
            let gathered =
                if placement.covers(handle.grid.chunk_shape()) && handle.strides == contiguous {
                    chunk
                } else {
                    let numbers = source_numbers(placement, handle, &contiguous);
                    gather_variable(&chunk, &numbers.ok_or_else(|| internal("it is no region"))?)?
                };
            (contiguous, keep_variable(gathered, reservation)?)
        }
        (DecodedInput::Missing, None) => {
            let contiguous = contiguous()?;
            let count = shape.iter().product::<u64>();
            let chunk = repeat(&info.fill_value, count, info.decoded_limit)?;
            (contiguous, keep_variable(chunk, reservation)?)
        }
        _ => return Err(internal("it was decoded to another place")),
    };
    Ok(ChunkData { number, chunk: input.chunk.clone(), origin, shape, strides, values, missing })
}

/// Copies the placed elements to the start of `target`, which has the placement's shape and these strides.
/// `false` if there are any outside of the chunk or the target.
fn copy_to(
    placement: &Placement,
    handle: &SourceHandle,
    source: &[u8],
    element: usize,
    (target, strides): (&mut [u8], &[u64]),
) -> bool {
    match placement {
        Placement::Region(region) => {
            let copy = StridedCopy::new(&region.at_origin(), &handle.strides, strides, element);
            copy.is_some_and(|copy| copy.copy(source, target))
        }
        Placement::Picks(picks) => picks.at_origin().is_some_and(|picks| {
            let mut copy = |runs: &[_]| copy_runs(source, runs, element, target);
            picks.runs(handle.layout(), strides, &mut copy)
        }),
    }
}

/// Linear numbers in the chunk of the placed elements, in C order of their region, which has these
/// strides.
fn source_numbers(
    placement: &Placement,
    handle: &SourceHandle,
    strides: &[u64],
) -> Option<Vec<u64>> {
    match placement {
        Placement::Region(region) => Some(region.source_numbers(&handle.strides)),
        Placement::Picks(picks) => {
            let mut numbers = picks.at_origin()?.numbers(handle.layout(), strides);
            numbers.sort_unstable_by_key(|&(_, target)| target);
            Some(numbers.into_iter().map(|(source, _)| source).collect())
        }
    }
}

fn internal(what: &str) -> ChunkErrorKind {
    ChunkErrorKind::Panic(what.to_owned())
}

fn lease(
    reservation: &mut Reservation,
    shape: &[u64],
    element: usize,
) -> Result<Lease, ChunkErrorKind> {
    let bytes = shape.iter().product::<u64>() * element as u64;
    let limit = reservation.bytes();
    let lease = usize::try_from(bytes).ok().and_then(|len| reservation.lease(len));
    lease.ok_or(ChunkErrorKind::TooLarge { needed: bytes, limit })
}

/// The elements with these numbers, in this order.
pub(crate) fn gather_variable(
    chunk: &VariableChunk,
    numbers: &[u64],
) -> Result<VariableChunk, ChunkErrorKind> {
    let mut offsets = Vec::with_capacity(numbers.len() + 1);
    let mut bytes = Vec::new();
    offsets.push(0);
    for &number in numbers {
        let element = usize::try_from(number).ok().and_then(|number| chunk.element(number));
        bytes.extend_from_slice(element.ok_or_else(|| internal("it has too few elements"))?);
        offsets.push(bytes.len() as u64);
    }
    Ok(VariableChunk { offsets, bytes, limit: chunk.limit })
}

/// `count` times the same element.
fn repeat(element: &[u8], count: u64, limit: u64) -> Result<VariableChunk, ChunkErrorKind> {
    let len = element.len() as u64;
    let needed =
        count.saturating_add(1).saturating_mul(8).saturating_add(count.saturating_mul(len));
    if needed > limit {
        return Err(ChunkErrorKind::TooLarge { needed, limit });
    }
    let offsets = (0..=count).map(|number| number * len).collect();
    Ok(VariableChunk { offsets, bytes: element.repeat(count as usize), limit })
}

/// Charges what the elements take in fact.
fn keep_variable(
    mut chunk: VariableChunk,
    reservation: &mut Reservation,
) -> Result<ChunkValues, ChunkErrorKind> {
    let taken = |chunk: &VariableChunk| {
        (chunk.offsets.capacity() * size_of::<u64>() + chunk.bytes.capacity()) as u64
    };
    if taken(&chunk) > reservation.bytes() {
        chunk.offsets.shrink_to_fit();
        chunk.bytes.shrink_to_fit();
    }
    let bytes = taken(&chunk);
    if bytes > reservation.bytes() && !reservation.try_grow(bytes - reservation.bytes()) {
        return Err(ChunkErrorKind::TooLarge { needed: bytes, limit: reservation.bytes() });
    }
    let kept = reservation.take(bytes);
    Ok(ChunkValues::Variable(chunk, kept))
}
