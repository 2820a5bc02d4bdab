//! Arrays as the formats hold them: a shape, an element type and bytes, not yet converted.
//!
//! Every format reads into an [`Array`]; what an array may be used for is decided once, by [`source`](super::source).
//! The constructors check that the bytes are all there, so that reading an element cannot go wrong later.

use std::borrow::Cow;

use half::{bf16, f16};

/// Why the bytes of a file are not what its format prescribes; the caller adds file and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Corrupt(pub(crate) String);

impl Corrupt {
    /// Says which array or archive member is to blame.
    pub(crate) fn inside(self, name: &str) -> Self {
        Self(format!("`{name}`: {}", self.0))
    }
}

/// The numeric element types that features or labels may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "booleans",
            Self::U8 => "8-bit unsigned integers",
            Self::U16 => "16-bit unsigned integers",
            Self::U32 => "32-bit unsigned integers",
            Self::U64 => "64-bit unsigned integers",
            Self::I8 => "8-bit integers",
            Self::I16 => "16-bit integers",
            Self::I32 => "32-bit integers",
            Self::I64 => "64-bit integers",
            Self::F16 => "16-bit floating-point numbers",
            Self::Bf16 => "bfloat16 numbers",
            Self::F32 => "32-bit floating-point numbers",
            Self::F64 => "64-bit floating-point numbers",
        }
    }
}

/// One element. `i128` holds every integer type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

/// An array of a file: its shape and its values.
#[derive(Debug)]
pub(crate) struct Array<'a> {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values<'a>,
}

/// The values of an [`Array`].
#[derive(Debug)]
pub(crate) enum Values<'a> {
    Numbers(Numbers<'a>),
    /// In C order.
    Strings(Vec<String>),
    /// Values that no analysis can use; what they are, in words.
    Other(String),
    /// Values of a usable type that are not all there.
    Incomplete(Incomplete),
}

/// Why rows cannot make an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incomplete {
    /// A row has no value, or a list in it lacks one.
    Null { row: usize },
    /// A row has another length than the first.
    Ragged { row: usize, found: usize, expected: usize },
}

/// What an array is, apart from its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: Kind,
}

/// What an array holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Numbers(Element),
    Strings,
    /// What no analysis can use, in words.
    Other(String),
}

impl Outline {
    /// The shape in Python's notation: `[3, 2]`.
    pub(crate) fn shape_text(&self) -> String {
        format!("{:?}", self.shape)
    }

    /// What the array holds, in words.
    pub(crate) fn type_name(&self) -> &str {
        match &self.kind {
            Kind::Numbers(element) => element.name(),
            Kind::Strings => "strings",
            Kind::Other(name) => name,
        }
    }
}

impl<'a> Array<'a> {
    /// An array whose elements follow each other, the last index fastest (C order).
    pub(crate) fn contiguous(shape: Vec<usize>, element: Element, bytes: Cow<'a, [u8]>) -> Result<Self, Corrupt> {
        let strides = contiguous_strides(shape.iter().rev())?;
        let strides = strides.into_iter().rev().collect();
        Self::strided(shape, strides, 0, element, bytes)
    }

    /// An array whose elements follow each other, the first index fastest (Fortran order).
    pub(crate) fn fortran(shape: Vec<usize>, element: Element, bytes: Cow<'a, [u8]>) -> Result<Self, Corrupt> {
        let strides = contiguous_strides(shape.iter())?;
        Self::strided(shape, strides, 0, element, bytes)
    }

    /// A window into `bytes`: strides and offset count elements.
    ///
    /// Windows that show an element twice are refused: a few bytes could claim to be terabytes.
    pub(crate) fn strided(
        shape: Vec<usize>,
        strides: Vec<usize>,
        offset: usize,
        element: Element,
        bytes: Cow<'a, [u8]>,
    ) -> Result<Self, Corrupt> {
        if shape.len() != strides.len() {
            return Err(Corrupt(format!("shape {shape:?} with {} strides", strides.len())));
        }
        let needed = element_count(&shape)?;
        let available = bytes.len() / element.size();
        let last = shape.iter().zip(&strides).try_fold(offset, |last, (&length, &stride)| {
            last.checked_add(length.saturating_sub(1).checked_mul(stride)?)
        });
        if needed > available || (needed > 0 && last.is_none_or(|last| last >= available)) {
            return Err(Corrupt(format!(
                "shape {shape:?} at offset {offset} needs more than the {available} elements stored; \
                 in PyTorch, save a contiguous copy: x.contiguous().clone()"
            )));
        }
        Ok(Self { shape, values: Values::Numbers(Numbers { element, big_endian: false, strides, offset, bytes }) })
    }

    /// The same array, with its bytes most significant first.
    pub(crate) fn big_endian(mut self, big_endian: bool) -> Self {
        if let Values::Numbers(numbers) = &mut self.values {
            numbers.big_endian = big_endian;
        }
        self
    }

    /// What the array is, apart from its values.
    pub(crate) fn outline(&self) -> Outline {
        let kind = match &self.values {
            Values::Numbers(numbers) => Kind::Numbers(numbers.element),
            Values::Strings(_) => Kind::Strings,
            Values::Other(name) => Kind::Other(name.clone()),
            Values::Incomplete(_) => Kind::Other("rows that are not whole".to_owned()),
        };
        Outline { shape: self.shape.clone(), kind }
    }
}

/// Numbers in a shape, of one element type.
#[derive(Debug)]
pub(crate) struct Numbers<'a> {
    element: Element,
    big_endian: bool,
    strides: Vec<usize>,
    offset: usize,
    bytes: Cow<'a, [u8]>,
}

impl Numbers<'_> {
    /// The elements of a matrix of so many columns, row after row, in place of as many `values`.
    pub(crate) fn write_to(&self, values: &mut [f64], columns: usize) {
        let start = self.offset * self.element.size();
        let is_in_order = self.strides == [columns, 1] && !self.big_endian;
        let in_order = self.bytes.get(start..).and_then(|rest| rest.get(..values.len() * self.element.size()));
        match (self.element, in_order.filter(|_| is_in_order)) {
            (Element::F64, Some(bytes)) => {
                for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f64::from_le_bytes(*bytes);
                }
            }
            (Element::F32, Some(bytes)) => {
                for (value, bytes) in values.iter_mut().zip(bytes.as_chunks().0) {
                    *value = f32::from_le_bytes(*bytes).into();
                }
            }
            _ => {
                for (row, values) in values.chunks_exact_mut(columns.max(1)).enumerate() {
                    for (column, value) in values.iter_mut().enumerate() {
                        *value = self.at(&[row, column]).to_f64();
                    }
                }
            }
        }
    }

    /// The element at an index inside the array's shape.
    pub(crate) fn at(&self, index: &[usize]) -> Number {
        let steps = index.iter().zip(&self.strides);
        let position = self.offset + steps.map(|(i, stride)| i * stride).sum::<usize>();
        match self.element {
            Element::Bool => Number::Integer((self.raw::<1>(position) != [0]).into()),
            Element::U8 => Number::Integer(u8::from_le_bytes(self.raw(position)).into()),
            Element::U16 => Number::Integer(u16::from_le_bytes(self.raw(position)).into()),
            Element::U32 => Number::Integer(u32::from_le_bytes(self.raw(position)).into()),
            Element::U64 => Number::Integer(u64::from_le_bytes(self.raw(position)).into()),
            Element::I8 => Number::Integer(i8::from_le_bytes(self.raw(position)).into()),
            Element::I16 => Number::Integer(i16::from_le_bytes(self.raw(position)).into()),
            Element::I32 => Number::Integer(i32::from_le_bytes(self.raw(position)).into()),
            Element::I64 => Number::Integer(i64::from_le_bytes(self.raw(position)).into()),
            Element::F16 => Number::Float(f16::from_le_bytes(self.raw(position)).into()),
            Element::Bf16 => Number::Float(bf16::from_le_bytes(self.raw(position)).into()),
            Element::F32 => Number::Float(f32::from_le_bytes(self.raw(position)).into()),
            Element::F64 => Number::Float(f64::from_le_bytes(self.raw(position))),
        }
    }

    /// The bytes of an element, least significant first.
    fn raw<const SIZE: usize>(&self, position: usize) -> [u8; SIZE] {
        let mut raw = [0; SIZE];
        raw.copy_from_slice(&self.bytes[position * SIZE..][..SIZE]);
        if self.big_endian {
            raw.reverse();
        }
        raw
    }
}

/// How many elements a shape holds.
pub(crate) fn element_count(shape: &[usize]) -> Result<usize, Corrupt> {
    shape
        .iter()
        .try_fold(1_usize, |product, &length| product.checked_mul(length))
        .ok_or_else(|| Corrupt(format!("shape {shape:?} is larger than any memory")))
}

/// Strides for axes given fastest first.
fn contiguous_strides<'s>(lengths: impl Iterator<Item = &'s usize>) -> Result<Vec<usize>, Corrupt> {
    let mut stride = Some(1_usize);
    lengths
        .map(|&length| {
            let this = stride.ok_or_else(|| Corrupt("the shape is larger than any memory".to_owned()))?;
            stride = this.checked_mul(length);
            Ok(this)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Array, Element, Number, Values};
    use std::borrow::Cow;

    fn numbers(array: &Array<'_>) -> Vec<f64> {
        let Values::Numbers(numbers) = &array.values else { panic!("numbers expected") };
        let mut all = Vec::new();
        for row in 0..array.shape[0] {
            for column in 0..array.shape[1] {
                all.push(numbers.at(&[row, column]).to_f64());
            }
        }
        all
    }

    fn bytes(values: &[u8]) -> Cow<'_, [u8]> {
        Cow::Borrowed(values)
    }

    #[test]
    fn c_and_fortran_order() {
        let raw = [1, 2, 3, 4, 5, 6];
        let array = Array::contiguous(vec![2, 3], Element::U8, bytes(&raw)).unwrap();
        assert_eq!(numbers(&array), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let array = Array::fortran(vec![2, 3], Element::U8, bytes(&raw)).unwrap();
        assert_eq!(numbers(&array), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn windows_start_at_their_offset() {
        let raw = [0, 1, 2, 3, 4, 5, 6, 7];
        let array = Array::strided(vec![2, 2], vec![4, 1], 1, Element::U8, bytes(&raw)).unwrap();
        assert_eq!(numbers(&array), [1.0, 2.0, 5.0, 6.0]);
    }

    #[test]
    fn big_endian_numbers() {
        let raw = [0x01, 0x02, 0xff, 0xfe];
        let array = Array::contiguous(vec![1, 2], Element::I16, bytes(&raw)).unwrap().big_endian(true);
        assert_eq!(numbers(&array), [258.0, -2.0]);
    }

    #[test]
    fn the_largest_integers_are_exact() {
        let raw = u64::MAX.to_le_bytes();
        let array = Array::contiguous(vec![1], Element::U64, bytes(&raw)).unwrap();
        let Values::Numbers(numbers) = &array.values else { panic!("numbers expected") };
        assert_eq!(numbers.at(&[0]), Number::Integer(u64::MAX.into()));
    }

    #[test]
    fn windows_outside_the_bytes_are_refused() {
        let raw = [0; 8];
        let refused = |shape: &[usize], strides: &[usize], offset| {
            Array::strided(shape.to_vec(), strides.to_vec(), offset, Element::U8, bytes(&raw)).is_err()
        };
        assert!(!refused(&[8], &[1], 0));
        assert!(refused(&[8], &[1], 1));
        assert!(refused(&[2], &[8], 0));
        assert!(refused(&[2, 2], &[usize::MAX, 1], 0));
        assert!(refused(&[2], &[1], usize::MAX));
        assert!(refused(&[usize::MAX, 2], &[1, 1], 0));
        // A repeated element: eight bytes posing as a terabyte.
        assert!(refused(&[1 << 40], &[0], 0));
        assert!(refused(&[1], &[1, 1], 0));
    }

    #[test]
    fn shapes_beyond_memory_are_refused() {
        let shape = vec![usize::MAX, usize::MAX, 0];
        assert!(Array::contiguous(shape.clone(), Element::F32, bytes(&[])).is_err());
        assert!(Array::fortran(shape, Element::F32, bytes(&[])).is_err());
    }
}
