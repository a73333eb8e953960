//! Lists of a selection on their way into the core: the facade hands over a piece in each turn of the
//! event loop, so that no list keeps that waiting.

use std::sync::{Arc, Mutex, PoisonError};

use lsio::{Array, BitMask, BitMaskBuilder, ErrorCode, LsioError, Reservation};
use napi::bindgen_prelude::{
    BigInt64ArraySlice, BigUint64ArraySlice, Float64ArraySlice, Uint8ArraySlice,
};
use napi_derive::napi;

/// The largest integer of which a double is surely meant to be that one.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A list of indices, or a mask, that is being handed over.
#[napi]
#[derive(Debug)]
pub struct NativeList {
    /// Gone once a read has it.
    content: Mutex<Option<Content>>,
}

#[derive(Debug)]
struct Content {
    elements: Elements,
    /// Elements that it is to have.
    len: u64,
    held: Reservation,
}

#[derive(Debug)]
enum Elements {
    Indices(Vec<i64>),
    Mask(BitMaskBuilder),
}

/// A list that is complete, and the memory that it is charged.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) values: ListValues,
    pub(crate) held: Reservation,
}

/// What a list has.
#[derive(Debug)]
pub(crate) enum ListValues {
    Indices(Arc<Vec<i64>>),
    Mask(Arc<BitMask>),
}

impl List {
    /// Elements of the list.
    pub(crate) fn len(&self) -> u64 {
        match &self.values {
            ListValues::Indices(indices) => indices.len() as u64,
            ListValues::Mask(mask) => mask.len(),
        }
    }
}

impl NativeList {
    /// A list of `len` indices.
    pub(crate) fn indices(array: &Array, len: u64) -> Result<Self, LsioError> {
        let held = array.hold_lists(len.saturating_mul(size_of::<i64>() as u64))?;
        let mut indices = Vec::new();
        let room = usize::try_from(len).is_ok_and(|len| indices.try_reserve_exact(len).is_ok());
        if !room {
            return Err(no_memory(len));
        }
        Ok(Self::new(Elements::Indices(indices), len, held))
    }

    /// A mask of `len` elements.
    pub(crate) fn mask(array: &Array, len: u64) -> Result<Self, LsioError> {
        let held = array.hold_lists(BitMask::bytes_of(len))?;
        let mask = BitMaskBuilder::with_room(len).ok_or_else(|| no_memory(len))?;
        Ok(Self::new(Elements::Mask(mask), len, held))
    }

    fn new(elements: Elements, len: u64, held: Reservation) -> Self {
        Self { content: Mutex::new(Some(Content { elements, len, held })) }
    }

    /// Takes what was handed over; nothing is left.
    ///
    /// # Errors
    /// [`ErrorCode::Selection`] if that is not all of it.
    pub(crate) fn take(&self) -> Result<List, LsioError> {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Content { elements, len, held }) = content else {
            return Err(LsioError::new(ErrorCode::Internal, "a list was handed over twice"));
        };
        let given = match &elements {
            Elements::Indices(indices) => indices.len() as u64,
            Elements::Mask(mask) => mask.len(),
        };
        if given != len {
            let message = format!("a list of {len} elements had {given} when it was read");
            return Err(LsioError::new(ErrorCode::Selection, message));
        }
        let values = match elements {
            Elements::Indices(indices) => ListValues::Indices(Arc::new(indices)),
            Elements::Mask(mask) => ListValues::Mask(Arc::new(mask.finish())),
        };
        Ok(List { values, held })
    }

    /// Adds indices. `false` at the first that cannot be one, and if there are too many.
    fn append(&self, indices: impl ExactSizeIterator<Item = Option<i64>>) -> bool {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Content { elements: Elements::Indices(list), len, .. }) = &mut *content else {
            return false;
        };
        let has_room = (list.len() + indices.len()) as u64 <= *len;
        has_room
            && indices.into_iter().all(|index| {
                list.extend(index);
                index.is_some()
            })
    }
}

fn no_memory(len: u64) -> LsioError {
    let message = format!("the system has no memory for a list of {len} elements");
    LsioError::new(ErrorCode::Budget, message)
}

#[napi]
impl NativeList {
    /// Adds indices; `false` if one of them is no integer.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn append_numbers(&self, indices: Float64ArraySlice<'_>) -> bool {
        let is_index = |index: &f64| index.fract() == 0.0 && index.abs() <= MAX_SAFE_INTEGER;
        self.append(indices.iter().map(|index| is_index(index).then_some(*index as i64)))
    }

    /// Adds indices.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn append_big_ints(&self, indices: BigInt64ArraySlice<'_>) -> bool {
        self.append(indices.iter().map(|&index| Some(index)))
    }

    /// Adds indices; such that are beyond all arrays stay so.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn append_unsigned(&self, indices: BigUint64ArraySlice<'_>) -> bool {
        self.append(indices.iter().map(|&index| Some(i64::try_from(index).unwrap_or(i64::MAX))))
    }

    /// Adds elements of a mask; `false` if one of them is neither 0 nor 1.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn append_flags(&self, flags: Uint8ArraySlice<'_>) -> bool {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Content { elements: Elements::Mask(mask), len, .. }) = &mut *content else {
            return false;
        };
        if mask.len() + flags.len() as u64 > *len || flags.iter().any(|&flag| flag > 1) {
            return false;
        }
        flags.iter().for_each(|&flag| mask.push(flag == 1));
        true
    }
}
