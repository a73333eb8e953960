//! What a document that numcodecs makes of a chunk has behind its elements.

/// The form of a document: numcodecs says it by the name of the codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentForm {
    /// The type string of `NumPy`, which is the last value: numcodecs before 0.6.
    WithoutShape,
    /// The type string of `NumPy`, then the shape.
    WithShape,
}
