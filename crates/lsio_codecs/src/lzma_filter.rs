//! The filters of the codec `lzma`, spelled as Python's `lzma` spells them.

use liblzma::stream::{Filters, LzmaOptions, MatchFinder, Mode};
use serde_json::{Map, Value};

use crate::CodecError;
use crate::configuration::Members;
use crate::lzma::{NAME, refused};

/// Most filters in a row (`LZMA_FILTERS_MAX`).
const MOST_FILTERS: usize = 4;

/// One filter of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LzmaFilter {
    kind: Kind,
    members: Map<String, Value>,
}

/// What a filter does, by its `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lzma1,
    Lzma2,
    Delta,
    X86,
    PowerPc,
    Ia64,
    Arm,
    ArmThumb,
    Sparc,
}

impl LzmaFilter {
    /// The member `filters`; none where it is absent.
    pub(crate) fn all_from_members(members: &mut Members<'_>) -> Result<Vec<Self>, CodecError> {
        let Some(value) = members.get("filters") else { return Ok(Vec::new()) };
        let filters = match value {
            Value::Null => return Ok(Vec::new()),
            Value::Array(filters) if filters.len() <= MOST_FILTERS => filters,
            _ => return Err(members.unexpected("filters", value, "a list of at most 4 filters")),
        };
        filters
            .iter()
            .map(|filter| {
                let kind = filter.get("id").and_then(Value::as_u64).and_then(Kind::from_id);
                match (kind, filter) {
                    (Some(kind), Value::Object(members)) => {
                        Ok(Self { kind, members: members.clone() })
                    }
                    _ => Err(members.unexpected("filters", filter, "a filter with a known id")),
                }
            })
            .collect()
    }

    /// Appends the filter to those of the library, with a dictionary of at most `most` bytes.
    pub(crate) fn push(
        &self,
        filters: &mut Filters,
        preset: u32,
        most: u32,
    ) -> Result<(), CodecError> {
        match self.kind {
            Kind::Lzma1 => {
                filters.lzma1(&self.options(preset, most)?);
            }
            Kind::Lzma2 => {
                filters.lzma2(&self.options(preset, most)?);
            }
            Kind::Delta => {
                let distance = self.number("dist", 1, 256)?.unwrap_or(1);
                filters.delta_properties(&[(distance - 1) as u8]).map_err(refused)?;
            }
            kind => {
                let offset = self.number("start_offset", 0, u32::MAX)?.unwrap_or(0).to_le_bytes();
                match kind {
                    Kind::X86 => filters.x86_properties(&offset),
                    Kind::PowerPc => filters.powerpc_properties(&offset),
                    Kind::Ia64 => filters.ia64_properties(&offset),
                    Kind::Arm => filters.arm_properties(&offset),
                    Kind::ArmThumb => filters.arm_thumb_properties(&offset),
                    _ => filters.sparc_properties(&offset),
                }
                .map_err(refused)?;
            }
        }
        Ok(())
    }

    /// Settings of LZMA, with a dictionary of at most `most` bytes.
    pub(crate) fn options(&self, preset: u32, most: u32) -> Result<LzmaOptions, CodecError> {
        let preset = self.number("preset", 0, u32::MAX)?.unwrap_or(preset);
        let mut options = LzmaOptions::new_preset(preset).map_err(refused)?;
        let dictionary = self.number("dict_size", 4096, u32::MAX)?;
        if let Some(size) = dictionary.or((most < u32::MAX).then_some(most)) {
            options.dict_size(size.min(most));
        }
        let bits = [("lc", 4), ("lp", 4), ("pb", 4)];
        let [context, position, alignment] = bits.map(|(name, most)| self.number(name, 0, most));
        let (context, position) = (context?, position?);
        if context.unwrap_or(3) + position.unwrap_or(0) > 4 {
            let reason = "'lc' and 'lp' of a filter must be 4 together at most";
            return Err(CodecError::configuration(NAME, reason));
        }
        context.map(|bits| options.literal_context_bits(bits));
        position.map(|bits| options.literal_position_bits(bits));
        alignment?.map(|bits| options.position_bits(bits));
        self.number("nice_len", 2, 273)?.map(|length| options.nice_len(length));
        self.number("depth", 0, u32::MAX)?.map(|depth| options.depth(depth));
        self.number("mode", 1, 2)?
            .map(|mode| options.mode(if mode == 1 { Mode::Fast } else { Mode::Normal }));
        if let Some(finder) = self.number("mf", 3, 20)? {
            options.match_finder(match finder {
                3 => MatchFinder::HashChain3,
                4 => MatchFinder::HashChain4,
                18 => MatchFinder::BinaryTree2,
                19 => MatchFinder::BinaryTree3,
                20 => MatchFinder::BinaryTree4,
                _ => return Err(self.unexpected("mf", "3, 4, 18, 19 or 20")),
            });
        }
        Ok(options)
    }

    /// A number from `least` to `most`, if it is there.
    fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, CodecError> {
        let Some(value) = self.members.get(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.unexpected(name, &format!("an integer from {least} to {most}"))),
        }
    }

    fn unexpected(&self, name: &str, expected: &str) -> CodecError {
        let value = self.members.get(name).unwrap_or(&Value::Null);
        let reason = format!("'{name}' of a filter must be {expected}, not {value}");
        CodecError::configuration(NAME, reason)
    }
}

impl Kind {
    /// The numbers of lzma.h, which Python's constants repeat.
    fn from_id(id: u64) -> Option<Self> {
        Some(match id {
            0x4000_0000_0000_0001 => Self::Lzma1,
            0x21 => Self::Lzma2,
            3 => Self::Delta,
            4 => Self::X86,
            5 => Self::PowerPc,
            6 => Self::Ia64,
            7 => Self::Arm,
            8 => Self::ArmThumb,
            9 => Self::Sparc,
            _ => return None,
        })
    }
}
