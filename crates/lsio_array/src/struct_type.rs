//! Records: elements that are made of named fields of other types.

use std::collections::HashSet;
use std::ops::Range;

use crate::DataType;

/// Order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    /// The order of this machine.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StructField {
    /// Its name, which no other field of the record has.
    pub name: String,
    /// Type of its elements.
    pub data_type: DataType,
    /// Elements per dimension where it has several; they lie in C order.
    pub shape: Vec<usize>,
    /// The byte order in which it is stored, where it has one of its own: in Zarr v2. In memory it is in
    /// native byte order like all others.
    pub stored_order: Option<Endian>,
}

/// What follows in a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StructPart {
    /// A field.
    Field(StructField),
    /// This many bytes that mean nothing.
    Padding(usize),
}

/// Why parts make no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StructError {
    /// There is no field.
    #[error("a struct must have a field")]
    NoField,
    /// Two fields have the same name.
    #[error("two fields of a struct are named '{0}'")]
    SameName(String),
    /// Elements of a field vary in length.
    #[error("the field '{name}' of a struct cannot be {data_type}, whose elements vary in length")]
    Variable {
        /// Name of the field.
        name: String,
        /// Type of its elements.
        data_type: DataType,
    },
    /// A field has no bytes.
    #[error("the field '{0}' of a struct has no bytes")]
    Empty(String),
    /// A record has too many bytes.
    #[error("a struct can have {} bytes, this one has more", DataType::MAX_SIZE)]
    TooLarge,
}

/// A record: its fields, one behind the other.
///
/// ```
/// use lsio_array::{DataType, StructField, StructPart, StructType};
///
/// let field = |name: &str, data_type, shape| StructPart::Field(StructField {
///     name: name.to_owned(), data_type, shape, stored_order: None,
/// });
/// let point = StructType::new(vec![
///     field("id", DataType::Int32, vec![]),
///     StructPart::Padding(4),
///     field("position", DataType::Float64, vec![3]),
/// ])?;
/// assert_eq!(point.size(), 32);
/// let position = point.find("position").ok_or("no such field")?;
/// assert_eq!((position.offset, &position.shape[..]), (8, &[3][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StructType {
    /// Each with the bytes of a record that it has.
    fields: Vec<(Range<usize>, StructField)>,
    size: usize,
}

/// A field as the elements of a record of records have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPlace {
    /// First byte of the field in a record.
    pub offset: usize,
    /// Elements per dimension that the field has in each record.
    pub shape: Vec<usize>,
    /// Bytes between neighbours, for each of these dimensions.
    pub strides: Vec<usize>,
    /// Type of its elements.
    pub data_type: DataType,
}

impl StructField {
    /// Bytes of all its elements; `None` where these vary in length or their product is too large.
    fn len(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.data_type.size()?, |len, &extent| len.checked_mul(extent))
    }
}

impl StructType {
    /// A record of these parts, one behind the other.
    ///
    /// # Errors
    /// [`StructError`] for parts that make none.
    pub fn new(parts: Vec<StructPart>) -> Result<Self, StructError> {
        let mut names = HashSet::new();
        let mut places = Vec::new();
        let mut size = 0usize;
        for part in &parts {
            let len = match part {
                StructPart::Padding(len) => Some(*len),
                StructPart::Field(field) => {
                    let name = || field.name.clone();
                    if !names.insert(field.name.as_str()) {
                        return Err(StructError::SameName(name()));
                    }
                    if field.data_type.size().is_none() {
                        let data_type = field.data_type.clone();
                        return Err(StructError::Variable { name: name(), data_type });
                    }
                    let len = field.len();
                    if len == Some(0) {
                        return Err(StructError::Empty(name()));
                    }
                    len
                }
            };
            let end = len.and_then(|len| size.checked_add(len));
            let end = end.filter(|end| *end <= DataType::MAX_SIZE).ok_or(StructError::TooLarge)?;
            if let StructPart::Field(_) = part {
                places.push(size..end);
            }
            size = end;
        }
        let named = parts.into_iter().filter_map(|part| match part {
            StructPart::Field(field) => Some(field),
            StructPart::Padding(_) => None,
        });
        let fields: Vec<_> = places.into_iter().zip(named).collect();
        if fields.is_empty() {
            return Err(StructError::NoField);
        }
        Ok(Self { fields, size })
    }

    /// Bytes of a record.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The fields with the bytes of a record that each has, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (Range<usize>, &StructField)> {
        self.fields.iter().map(|(bytes, field)| (bytes.clone(), field))
    }

    /// Whether there are bytes between or behind the fields.
    #[must_use]
    pub fn is_padded(&self) -> bool {
        self.fields.iter().map(|(bytes, _)| bytes.len()).sum::<usize>() != self.size
    }

    /// The field with this name, or that a path such as `position.x` leads to. Of records that have several
    /// elements each has its own: their dimensions come first.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<FieldPlace> {
        let (mut offset, mut shape, mut strides) = (0, Vec::new(), Vec::new());
        let way = self.way_to(path)?;
        for (start, field) in &way {
            offset += start;
            let mut stride = field.data_type.size()?;
            let from = strides.len();
            for extent in field.shape.iter().rev() {
                strides.push(stride);
                stride *= extent;
            }
            strides[from..].reverse();
            shape.extend_from_slice(&field.shape);
        }
        let data_type = way.last()?.1.data_type.clone();
        Some(FieldPlace { offset, shape, strides, data_type })
    }

    /// The fields that a path leads through, outermost first.
    fn way_to(&self, path: &str) -> Option<Vec<(usize, &StructField)>> {
        if let Some((bytes, field)) = self.fields.iter().find(|(_, field)| field.name == path) {
            return Some(vec![(bytes.start, field)]);
        }
        self.fields.iter().find_map(|(bytes, field)| {
            let rest = path.strip_prefix(field.name.as_str())?.strip_prefix('.')?;
            let DataType::Struct(inner) = &field.data_type else { return None };
            let mut way = inner.way_to(rest)?;
            way.insert(0, (bytes.start, field));
            Some(way)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn field(name: &str, data_type: DataType, shape: &[usize]) -> StructPart {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        StructPart::Field(StructField { name, data_type, shape, stored_order: None })
    }

    fn nested() -> StructType {
        let point = StructType::new(vec![
            field("x", DataType::Float32, &[]),
            StructPart::Padding(2),
            field("y", DataType::Int16, &[2]),
        ]);
        let point = DataType::Struct(Arc::new(point.unwrap()));
        StructType::new(vec![
            field("id", DataType::Int64, &[]),
            field("points", point, &[2, 3]),
            field("points.y", DataType::Bool, &[]),
            StructPart::Padding(1),
        ])
        .unwrap()
    }

    #[test]
    fn fields_lie_one_behind_the_other() {
        let record = nested();
        assert_eq!(record.size(), 8 + 60 + 2);
        let bytes: Vec<_> = record.fields().map(|(bytes, _)| bytes).collect();
        assert_eq!(bytes, [0..8, 8..68, 68..69]);
        assert!(record.is_padded());
        let plain = StructType::new(vec![field("a", DataType::Int8, &[3])]).unwrap();
        assert!(!plain.is_padded());
    }

    #[test]
    fn paths_lead_into_records() {
        let record = nested();
        let x = record.find("points.x").unwrap();
        assert_eq!((x.offset, x.shape, x.strides), (8, vec![2, 3], vec![30, 10]));
        assert_eq!(x.data_type, DataType::Float32);
        let id = record.find("id").unwrap();
        assert_eq!((id.offset, id.shape.len(), id.data_type), (0, 0, DataType::Int64));
        // A name counts before a path.
        assert_eq!(record.find("points.y").unwrap().data_type, DataType::Bool);
        let points = record.find("points").unwrap();
        assert_eq!((points.data_type.size(), points.strides), (Some(10), vec![30, 10]));
        for path in ["", "x", "points.", "points.z", "id.x", ".id", "points.x.x"] {
            assert_eq!(record.find(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let new = |parts| StructType::new(parts).unwrap_err();
        assert_eq!(new(vec![]), StructError::NoField);
        assert_eq!(new(vec![StructPart::Padding(3)]), StructError::NoField);
        let twice = vec![field("a", DataType::Int8, &[]), field("a", DataType::Bool, &[])];
        assert_eq!(new(twice), StructError::SameName("a".to_owned()));
        let text = new(vec![field("a", DataType::String, &[])]);
        assert!(matches!(text, StructError::Variable { .. }));
        let none = vec![field("a", DataType::Int8, &[3, 0])];
        assert_eq!(new(none), StructError::Empty("a".to_owned()));
        for parts in [
            vec![field("a", DataType::Int8, &[usize::MAX, 2])],
            vec![field("a", DataType::Int8, &[usize::MAX]), field("b", DataType::Int8, &[1])],
            vec![field("a", DataType::Int8, &[]), StructPart::Padding(usize::MAX)],
            vec![field("a", DataType::Int8, &[DataType::MAX_SIZE + 1])],
        ] {
            assert_eq!(new(parts), StructError::TooLarge);
        }
        assert!(StructType::new(vec![field("a", DataType::Int8, &[DataType::MAX_SIZE])]).is_ok());
    }
}
