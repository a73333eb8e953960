//! Codecs that answer later: a chunk waits for them without a thread, and goes on when the answer is there.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lsio_array::{Decoded, Destination, Resume};

use crate::growing::{Growth, decode_growing};
use crate::{BytesCodec, Codec, CodecChain, CodecError};

/// Most bytes of elements that vary in length which such a codec may answer: reserved for as long as a chunk waits,
/// since nobody knows beforehand what it makes.
const LONGEST_VARIABLE: u64 = 16 << 20;

/// A codec that makes other bytes of bytes and answers later, from any thread: a function in another
/// language, a device, a service. It is for decoding only.
///
/// While a chunk waits, its memory stays reserved and no thread is taken. What the codec is given and what it
/// answers is its own memory; both lengths are reserved too.
pub trait SuspendingCodec: Send + Sync + fmt::Debug {
    /// Name of the codec in the metadata.
    fn name(&self) -> &'static str;

    /// Most bytes that `decoded_len` bytes are encoded to by any reasonable writer.
    fn encoded_bound(&self, decoded_len: u64) -> u64;

    /// Starts to decode; `answer` takes the decoded bytes. Must not take long itself.
    fn start(&self, encoded: Vec<u8>, answer: DecodeAnswer);
}

type Slot = Mutex<Option<Result<Vec<u8>, CodecError>>>;

/// Takes what a [`SuspendingCodec`] has decoded, once. One that is dropped answers with an error.
pub struct DecodeAnswer {
    codec: &'static str,
    limit: u64,
    slot: Weak<Slot>,
    /// Of the task that waits. Not kept alive by who never answers.
    resume: Option<Weak<dyn Resume>>,
}

impl DecodeAnswer {
    /// Name of the codec that is asked.
    #[must_use]
    pub fn codec(&self) -> &'static str {
        self.codec
    }

    /// Most bytes that the answer may have.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether anybody still waits for the answer: not if the call was cancelled.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.slot.strong_count() > 0
    }

    /// Gives the decoded bytes, or says why there are none. From any thread.
    pub fn send(mut self, decoded: Result<Vec<u8>, CodecError>) {
        self.put(decoded);
    }

    fn put(&mut self, decoded: Result<Vec<u8>, CodecError>) {
        let Some(resume) = self.resume.take() else { return };
        // Nobody waits: then the task is left alone, which may be all that keeps an engine.
        let Some(slot) = self.slot.upgrade() else { return };
        let Some(resume) = resume.upgrade() else { return };
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(decoded);
        resume.resume();
    }
}

impl Drop for DecodeAnswer {
    fn drop(&mut self) {
        let reason = "it ended without an answer".to_owned();
        self.put(Err(CodecError::Function { codec: self.codec, reason, number: None }));
    }
}

impl fmt::Debug for DecodeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { codec, limit, .. } = self;
        f.debug_struct("DecodeAnswer")
            .field("codec", codec)
            .field("limit", limit)
            .finish_non_exhaustive()
    }
}

impl CodecChain {
    /// The first codec that answers later: such a chain is decoded with [`CodecChain::decode_resumable`].
    #[must_use]
    pub fn suspends_for(&self) -> Option<&'static str> {
        self.stages.first_name()
    }

    /// Bytes that [`CodecChain::decode_resumable`] allocates for what codecs that answer later are given, and for
    /// what they answer.
    #[must_use]
    pub fn suspended_len(&self) -> u64 {
        self.stages.memory()
    }

    /// As [`CodecChain::decode`], also for codecs that answer later: [`Decoded::Suspended`] where the chunk
    /// has to wait. `resume` keeps what it waits for, and is called when it may go on.
    ///
    /// # Errors
    /// As [`CodecChain::decode`], and those of the codecs that answer later.
    pub fn decode_resumable(
        &self,
        encoded: &[u8],
        destination: Destination<'_>,
        scratch: &mut [u8],
        resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, CodecError> {
        if self.suspends_for().is_none() {
            return self.decode(encoded, destination, scratch);
        }
        let Some(encoded) = self.stages.proceed(encoded, resume)? else {
            return Ok(Decoded::Suspended);
        };
        let end = self.decode_here(&encoded, destination, scratch)?;
        if matches!(end, Decoded::Outgrown { .. }) {
            keep_decoded(encoded, resume);
        }
        Ok(end)
    }
}

/// The codecs of a chain from the first one on that answers later, in the order of encoding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stages(Vec<Stage>);

/// One codec that answers later, and those up to the next such one.
#[derive(Debug, Clone)]
struct Stage {
    codec: Arc<dyn SuspendingCodec>,
    after: Vec<Arc<dyn BytesCodec>>,
    /// Most bytes before it encodes, and whether that is the very length.
    decoded_limit: u64,
    is_exact: bool,
    /// Most bytes after it has encoded, and after those behind it.
    encoded_limit: u64,
    bound: u64,
}

/// What a chunk waits for, kept with its task.
struct Waiting {
    /// The stage that was asked.
    stage: usize,
    slot: Arc<Slot>,
}

impl Stages {
    /// The codecs from the first on that answers later. `bounds`: most bytes before each codec in front of them, and
    /// after the last; `is_fixed`: elements do not vary in length; `is_plain`: the first bound is their very length.
    pub(crate) fn new(codecs: Vec<Codec>, bounds: &[u64], is_fixed: bool, is_plain: bool) -> Self {
        let mut stages = Self::default();
        for codec in codecs {
            match codec {
                Codec::Suspending(codec) => {
                    let bound = stages.bound().or(bounds.last().copied()).unwrap_or(0);
                    let is_exact = is_plain && bounds.len() == 1 && stages.bound().is_none();
                    let limit = if is_fixed { bound } else { bound.max(LONGEST_VARIABLE) };
                    stages.push(codec, limit, is_exact);
                }
                Codec::BytesToBytes(codec) => stages.push_after(codec),
                // No other codec stands behind one that makes bytes.
                Codec::Transpose(_) | Codec::ArrayToArray(_) | Codec::ArrayToBytes(_) => {}
            }
        }
        stages
    }

    /// Adds a codec that answers later. `decoded_limit`: most bytes of what it encodes, or exactly these.
    fn push(&mut self, codec: Arc<dyn SuspendingCodec>, decoded_limit: u64, is_exact: bool) {
        let bound = codec.encoded_bound(decoded_limit);
        let (after, encoded_limit) = (Vec::new(), bound);
        self.0.push(Stage { codec, after, decoded_limit, is_exact, encoded_limit, bound });
    }

    /// Adds a codec behind the last one.
    fn push_after(&mut self, codec: Arc<dyn BytesCodec>) {
        if let Some(stage) = self.0.last_mut() {
            stage.bound = codec.encoded_bound(stage.bound);
            stage.after.push(codec);
        }
    }

    /// Name of the first codec that answers later.
    pub(crate) fn first_name(&self) -> Option<&'static str> {
        self.0.first().map(|stage| stage.codec.name())
    }

    /// Most bytes of an encoded chunk; `None` without such codecs.
    pub(crate) fn bound(&self) -> Option<u64> {
        self.0.last().map(|stage| stage.bound)
    }

    /// Bytes to reserve for what the codecs are given and answer.
    pub(crate) fn memory(&self) -> u64 {
        let lengths = self.0.iter().map(|s| s.decoded_limit.saturating_add(s.given_limit()));
        lengths.fold(0, u64::saturating_add)
    }

    /// The bytes that the first of the codecs has decoded, as soon as they are there; `None`: the chunk
    /// waits. `resume` says where it keeps for what, and is called when it may go on.
    pub(crate) fn proceed(
        &self,
        encoded: &[u8],
        resume: &Arc<dyn Resume>,
    ) -> Result<Option<Vec<u8>>, CodecError> {
        let kept = resume.kept().lock().unwrap_or_else(PoisonError::into_inner).take();
        let waiting = kept.and_then(|kept| kept.downcast::<Waiting>().ok());
        let (next, decoded) = match waiting {
            None => (self.0.len(), None),
            Some(waiting) => {
                let answer = waiting.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(answer) = answer else {
                    keep(resume, *waiting);
                    return Ok(None);
                };
                let decoded = self.0[waiting.stage].checked(answer?)?;
                (waiting.stage, Some(decoded))
            }
        };
        let Some(stage) = next.checked_sub(1) else { return Ok(decoded) };
        let bytes = self.0[stage].undo_after(decoded.as_deref().unwrap_or(encoded))?;
        let Stage { codec, decoded_limit, .. } = &self.0[stage];
        let slot = Arc::default();
        let answer = DecodeAnswer {
            codec: codec.name(),
            limit: *decoded_limit,
            slot: Arc::downgrade(&slot),
            resume: Some(Arc::downgrade(resume)),
        };
        // Before it starts: the answer may come at once.
        keep(resume, Waiting { stage, slot });
        codec.start(bytes, answer);
        Ok(None)
    }
}

impl Stage {
    /// Most bytes that the codec is given, and the codecs behind it need on the way there.
    fn given_limit(&self) -> u64 {
        self.bound.max(self.encoded_limit).saturating_mul(2)
    }

    /// Undoes the codecs behind this one.
    fn undo_after(&self, encoded: &[u8]) -> Result<Vec<u8>, CodecError> {
        let mut decoded = Vec::new();
        let limit = self.given_limit();
        match decode_growing(&self.after, encoded, limit, &mut decoded)? {
            Growth::Complete => Ok(decoded),
            Growth::Needs(needed) => {
                Err(CodecError::TooLarge { codec: self.codec.name(), needed, limit })
            }
        }
    }

    fn checked(&self, decoded: Vec<u8>) -> Result<Vec<u8>, CodecError> {
        let (codec, actual) = (self.codec.name(), decoded.len() as u64);
        let (expected, limit) = (self.decoded_limit, self.decoded_limit);
        if self.is_exact && actual != expected {
            return Err(CodecError::Length { codec, expected, actual });
        } else if actual > limit {
            return Err(CodecError::TooLarge { codec, needed: actual, limit });
        }
        Ok(decoded)
    }
}

/// Keeps what all stages have decoded for the next call, which gives it again.
fn keep_decoded(decoded: Vec<u8>, resume: &Arc<dyn Resume>) {
    keep(resume, Waiting { stage: 0, slot: Arc::new(Mutex::new(Some(Ok(decoded)))) });
}

fn keep(resume: &Arc<dyn Resume>, waiting: Waiting) {
    let mut kept = resume.kept().lock().unwrap_or_else(PoisonError::into_inner);
    *kept = Some(Box::new(waiting));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use lsio_array::{DataType, Kept};
    use serde_json::json;

    use super::*;
    use crate::{Bytes, ChunkContext, Endian, Serializer, codec_v3};

    /// Answers at once, in the call that asks: with what it was given, but for the last byte.
    #[derive(Debug)]
    struct Shortening;

    impl SuspendingCodec for Shortening {
        fn name(&self) -> &'static str {
            "shortening"
        }

        fn encoded_bound(&self, decoded_len: u64) -> u64 {
            decoded_len + 1
        }

        fn start(&self, mut encoded: Vec<u8>, answer: DecodeAnswer) {
            encoded.pop();
            answer.send(Ok(encoded));
        }
    }

    #[derive(Default)]
    struct Task {
        kept: Mutex<Option<Kept>>,
        resumed: Mutex<usize>,
    }

    impl Resume for Task {
        fn resume(self: Arc<Self>) {
            *self.resumed.lock().unwrap() += 1;
        }

        fn kept(&self) -> &Mutex<Option<Kept>> {
            &self.kept
        }
    }

    fn chain() -> CodecChain {
        let context = ChunkContext { data_type: DataType::UInt8, shape: vec![3] };
        let codecs = vec![
            Codec::ArrayToBytes(Serializer::Bytes(Bytes::new(Endian::Little))),
            Codec::Suspending(Arc::new(Shortening)),
        ];
        CodecChain::new(codecs, &context).unwrap()
    }

    #[test]
    fn an_answer_in_the_call_that_asks_resumes_the_chunk_once_and_leaves_nothing() {
        let (chain, task) = (chain(), Arc::new(Task::default()));
        let resume: Arc<dyn Resume> = task.clone();
        let mut decoded = [0; 3];
        let mut decode =
            || chain.decode_resumable(b"abc!", Destination::Fixed(&mut decoded), &mut [], &resume);
        assert_eq!(decode().unwrap(), Decoded::Suspended);
        assert_eq!(decode().unwrap(), Decoded::Complete);
        assert_eq!(&decoded, b"abc");
        assert_eq!(*task.resumed.lock().unwrap(), 1);
        assert!(task.kept.lock().unwrap().is_none());
    }

    #[test]
    fn a_chain_that_answers_later_neither_decodes_at_once_nor_encodes() {
        let chain = chain();
        assert_eq!(chain.suspends_for(), Some("shortening"));
        assert_eq!(chain.identity(), None);
        let refused = chain.decode(b"abc!", Destination::Fixed(&mut [0; 3]), &mut []);
        assert_eq!(refused.unwrap_err().codec(), Some("shortening"));
        let refused = chain.encode(b"abc", &mut Vec::new());
        assert_eq!(refused.unwrap_err().codec(), Some("shortening"));
    }

    #[test]
    fn any_number_of_codecs_may_stand_behind_one_that_answers_later() {
        // Bytes that nothing makes shorter.
        let mut state = 1u64;
        let mut stored: Vec<u8> = (0..100_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        let expected = stored.clone();
        stored.push(b'!');
        let context =
            ChunkContext { data_type: DataType::UInt8, shape: vec![expected.len() as u64] };
        let mut codecs = vec![
            Codec::ArrayToBytes(Serializer::Bytes(Bytes::new(Endian::Little))),
            Codec::Suspending(Arc::new(Shortening)),
        ];
        for (name, configuration) in [
            ("gzip", json!({"level": 1})),
            ("zstd", json!({"level": 1, "checksum": false})),
            ("gzip", json!({"level": 1})),
            ("zstd", json!({"level": 1, "checksum": false})),
        ] {
            let codec = codec_v3(name, configuration.as_object().unwrap(), &context).unwrap();
            let Codec::BytesToBytes(of_bytes) = &codec else { panic!("{codec:?}") };
            let mut encoded = Vec::new();
            of_bytes.encode(&stored, &mut encoded).unwrap();
            stored = encoded;
            codecs.push(codec);
        }
        let chain = CodecChain::new(codecs, &context).unwrap();
        let resume: Arc<dyn Resume> = Arc::new(Task::default());
        let mut decoded = vec![0; expected.len()];
        let mut decode = || {
            let destination = Destination::Fixed(&mut decoded);
            chain.decode_resumable(&stored, destination, &mut [], &resume)
        };
        assert_eq!(decode().unwrap(), Decoded::Suspended);
        assert_eq!(decode().unwrap(), Decoded::Complete);
        assert!(decoded == expected);
    }

    #[test]
    fn memory_is_reserved_for_what_is_given_and_what_is_answered() {
        // 3 bytes decoded; 4 encoded, and as many on the way there.
        let chain = chain();
        assert_eq!(
            (chain.encoded_bound(), chain.suspended_len(), chain.scratch_len()),
            (4, 3 + 8, 0)
        );
    }
}
