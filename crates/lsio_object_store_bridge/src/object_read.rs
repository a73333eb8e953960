//! What a read asks for: one request, several for one buffer, or a look at the length first.

use futures_util::future::{try_join, try_join_all};
use lsio_io::plan::{Span, split};
use lsio_io::{ByteRange, Identity, ReadAnswer, StorageError};
use object_store::GetRange;

use crate::failure::Failure;
use crate::fetch::{Buffer, Fetch, Opened, Part};
use crate::owed_read::OwedRead;
use crate::version::Version;

/// A range up to this many bytes is one request. One stream of S3 brings 85-90 MB/s: some 180 ms, many times what an
/// answer takes to begin.
pub(crate) const WHOLE_UP_TO: u64 = 16 << 20;

/// Longer ranges are asked for in requests of this many bytes, so that several streams bring them.
pub(crate) const PART: u64 = 8 << 20;

impl Fetch {
    /// Brings what a read wants.
    pub(crate) async fn bring(
        &self,
        read: &mut OwedRead,
        range: ByteRange,
        location: &str,
    ) -> Result<ReadAnswer, StorageError> {
        let key = read.key.clone();
        let pinned = read.pinned()?;
        let brought = self.unless_cancelled(self.range(read, range, pinned.as_ref())).await;
        brought.map_err(|failure| failure.at("read", &key, location))
    }

    async fn range(
        &self,
        read: &mut OwedRead,
        range: ByteRange,
        pinned: Option<&Identity>,
    ) -> Result<ReadAnswer, Failure> {
        let brought = match range {
            ByteRange::Whole => self.whole(read, pinned).await,
            ByteRange::Bounded { offset, len } => match Span::new(offset, len) {
                Some(span) if len > 0 => self.bounded(read, span, pinned).await,
                _ => self.nothing(read, range, pinned).await,
            },
            ByteRange::Suffix { len: 0 } => self.nothing(read, range, pinned).await,
            ByteRange::Suffix { len } => self.suffix(read, len, pinned).await,
        };
        match brought {
            Err(Failure::Missing) if pinned.is_some() => Err(Failure::Changed),
            Err(failure @ (Failure::BadRange { .. } | Failure::Lasting { .. })) => {
                Err(self.explain(read, range, pinned, failure).await)
            }
            brought => brought,
        }
    }

    /// Only the identity and the length.
    async fn nothing(
        &self,
        read: &mut OwedRead,
        range: ByteRange,
        pinned: Option<&Identity>,
    ) -> Result<ReadAnswer, Failure> {
        let version = self.look(pinned).await?;
        range.resolve(&read.key, version.object_len)?;
        Ok(answer(Buffer::new(read.lease(0)?), version))
    }

    async fn bounded(
        &self,
        read: &mut OwedRead,
        span: Span,
        pinned: Option<&Identity>,
    ) -> Result<ReadAnswer, Failure> {
        read.check_room(span.len())?;
        let mut parts = parts_of(span, 0);
        let (Some(mut part), None) = (parts.next(), parts.next()) else {
            let buffer = Buffer::new(read.lease(span.len())?);
            let versions = self.all_parts(span, 0, pinned, &buffer, span.offset()).await?;
            return one_version(&versions).map(|version| answer(buffer, version));
        };
        let opened = self.open(&mut part, pinned).await?;
        let wanted = span.offset()..span.end();
        if opened.range != wanted {
            return Err(short(read, ByteRange::from(span), &opened));
        }
        let buffer = Buffer::new(read.lease(span.len())?);
        let version = self.pour(&mut part, opened, &buffer, 0).await?;
        Ok(answer(buffer, version))
    }

    async fn suffix(
        &self,
        read: &mut OwedRead,
        len: u64,
        pinned: Option<&Identity>,
    ) -> Result<ReadAnswer, Failure> {
        read.check_room(len)?;
        let range = ByteRange::Suffix { len };
        let by_length = async |read: &mut OwedRead| {
            let version = self.look(pinned).await?;
            let (offset, len) = range.resolve(&read.key, version.object_len)?;
            let span = Span::new(offset, len).ok_or(Failure::Changed)?;
            self.bounded(read, span, Some(&version.identity)).await
        };
        if len > WHOLE_UP_TO {
            return by_length(read).await;
        }
        let mut part = Part::new(0, Some(GetRange::Suffix(len)), len);
        let opened = match self.open(&mut part, pinned).await {
            // Azure has no such ranges.
            Err(Failure::NoRanges { .. }) => return by_length(read).await,
            opened => opened?,
        };
        let (offset, len) = range.resolve(&read.key, opened.version.object_len)?;
        if opened.range != (offset..offset + len) {
            return Err(short(read, range, &opened));
        }
        let buffer = Buffer::new(read.lease(len)?);
        let version = self.pour(&mut part, opened, &buffer, 0).await?;
        Ok(answer(buffer, version))
    }

    /// The length comes with the answer. Where the object may be long, its first part is asked for, and then the
    /// others at once.
    async fn whole(
        &self,
        read: &mut OwedRead,
        pinned: Option<&Identity>,
    ) -> Result<ReadAnswer, Failure> {
        let room = read.reserved();
        let mut part = Part::new(0, None, room.min(WHOLE_UP_TO));
        if room > lsio_io::Read::reserve_for(WHOLE_UP_TO) {
            part = Part::new(0, Some(GetRange::Bounded(0..PART)), PART);
        }
        let opened = match self.open(&mut part, pinned).await {
            // Of an empty object, or of a server without ranges.
            Err(Failure::BadRange { .. } | Failure::NoRanges { .. } | Failure::Lasting { .. })
                if part.is_ranged() =>
            {
                part = Part::new(0, None, room.min(WHOLE_UP_TO));
                self.open(&mut part, pinned).await?
            }
            opened => opened?,
        };
        let object_len = opened.version.object_len;
        let (begun, identity) = (opened.range.clone(), opened.version.identity.clone());
        let rest = Span::new(begun.end, object_len.saturating_sub(begun.end));
        let rest = rest.filter(|_| begun.start == 0 && begun.end <= object_len);
        let rest = rest.ok_or_else(|| short(read, ByteRange::Whole, &opened))?;
        let buffer = Buffer::new(read.lease(object_len)?);
        let first = self.pour(&mut part, opened, &buffer, 0);
        let others = self.all_parts(rest, 1, Some(&identity), &buffer, 0);
        let all = try_join(first, others).await;
        let (version, mut versions) = all.map_err(Failure::of_known_length)?;
        versions.push(version);
        one_version(&versions).map(|version| answer(buffer, version))
    }

    /// Reads a span by several requests at once, into a buffer whose first byte is that at `base` of the object.
    async fn all_parts(
        &self,
        span: Span,
        first: u32,
        pinned: Option<&Identity>,
        buffer: &Buffer,
        base: u64,
    ) -> Result<Vec<Version>, Failure> {
        let mut at = span.offset();
        let parts = parts_of(span, first).map(|mut part| {
            let wanted = at..at + part.expected_bytes();
            at = wanted.end;
            async move {
                let opened = self.open(&mut part, pinned).await?;
                if opened.range != wanted {
                    let text = format!("the object ends before byte {}", wanted.end);
                    return Err(Failure::BadRange { text });
                }
                self.pour(&mut part, opened, buffer, (wanted.start - base) as usize).await
            }
        });
        try_join_all(parts).await
    }

    /// A range that the store refused may have been one that the object does not have.
    async fn explain(
        &self,
        read: &OwedRead,
        range: ByteRange,
        pinned: Option<&Identity>,
        failure: Failure,
    ) -> Failure {
        if range == ByteRange::Whole {
            return failure;
        }
        match self.look(None).await {
            Ok(version) if pinned.is_some_and(|pinned| version.identity != *pinned) => {
                Failure::Changed
            }
            Ok(version) => match range.resolve(&read.key, version.object_len) {
                Err(error) => error.into(),
                Ok(_) => failure,
            },
            Err(_) => failure,
        }
    }
}

/// The requests for a span, the first of which has this number.
fn parts_of(span: Span, first: u32) -> impl Iterator<Item = Part> {
    let longest = if span.len() <= WHOLE_UP_TO { WHOLE_UP_TO } else { PART };
    split(span, longest, 1).zip(first..).map(|(span, number)| {
        let range = GetRange::Bounded(span.offset()..span.end());
        Part::new(number, Some(range), span.len())
    })
}

/// What an answer that brings other bytes than were asked for means.
fn short(read: &OwedRead, range: ByteRange, opened: &Opened) -> Failure {
    if let Err(error) = range.resolve(&read.key, opened.version.object_len) {
        return error.into();
    }
    let text = format!("the store answered with bytes {:?}", opened.range);
    Failure::NoRanges { text }
}

fn answer(buffer: Buffer, Version { identity, object_len }: Version) -> ReadAnswer {
    ReadAnswer { bytes: buffer.into_lease().freeze(), object_len, identity }
}

/// The version that all parts have in common.
fn one_version(versions: &[Version]) -> Result<Version, Failure> {
    // What one answer leaves open, a later one cannot decide for its bytes.
    let fresh = versions.iter().position(Version::is_fresh).unwrap_or_default();
    let first = versions.get(fresh).ok_or(Failure::Changed)?;
    let same = versions.iter().all(|version| version == first);
    if same { Ok(first.clone()) } else { Err(Failure::Changed) }
}
