//! Errors as the facade takes them: it throws the real class, from the caller's stack.

use lsio::LsioError;
use napi_derive::napi;

/// A failed call.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeError {
    /// What a caller can tell apart.
    #[napi(ts_type = "NativeErrorCode")]
    pub code: &'static str,
    /// What was being done, on what.
    pub message: String,
    /// The location, document or object concerned.
    pub path: Option<String>,
    /// Grid coordinates of the chunk concerned.
    pub chunk: Option<Vec<f64>>,
    /// Codec in which it failed.
    pub codec: Option<&'static str>,
    /// Whether the same call may succeed when it is made again.
    pub retryable: bool,
    /// Messages of what was underneath, outermost first.
    pub causes: Vec<String>,
    /// By which the environment that ran the function of a codec has kept its error.
    pub thrown: Option<f64>,
}

impl From<LsioError> for NativeError {
    fn from(error: LsioError) -> Self {
        let (retryable, causes) = (error.is_retryable(), error.causes());
        let thrown = error.function_number().map(|number| number as f64);
        Self {
            code: error.code.name(),
            message: error.message,
            path: error.path,
            chunk: error.chunk.map(|chunk| numbers(&chunk)),
            codec: error.codec,
            retryable,
            causes,
            thrown,
        }
    }
}

/// Counts as JavaScript numbers. Exact up to 2^53, which no length or position in an array that fits
/// a machine reaches.
pub(crate) fn numbers(counts: &[u64]) -> Vec<f64> {
    counts.iter().map(|&count| count as f64).collect()
}
