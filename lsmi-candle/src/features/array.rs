//! Arrays as the formats hold them: a shape, an element type and bytes, not yet converted.
//!
//! Every format reads into an [`Array`]; what an array may be used for is decided once, by [`source`](super::source).
//! The constructors check that the bytes are all there, so that reading an element cannot go wrong later.

use std::borrow::Cow;
use std::ops::Range;

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
#[derive(Debug, Clone)]
pub(crate) struct Array<'a> {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values<'a>,
}

/// The values of an [`Array`].
#[derive(Debug, Clone)]
pub(crate) enum Values<'a> {
    Numbers(Numbers<'a>),
    /// In C order.
    Strings(Vec<String>),
    /// One value a row, of which some rows have none: these rows, in order. What stands in their place means nothing.
    WithGaps(Box<Values<'a>>, Vec<usize>),
    /// Values that no analysis can use.
    Other(Unusable),
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
    /// What no analysis can use.
    Other(Unusable),
}

/// Values that no analysis can use as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// What they are, in words.
    pub(crate) what: String,
    /// How to make usable ones of them, where that depends on what they are.
    pub(crate) mend: Option<String>,
}

impl Unusable {
    /// Values that are made usable so.
    pub(crate) fn with_mend(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), mend: Some(mend.into()) }
    }
}

impl From<String> for Unusable {
    fn from(what: String) -> Self {
        Self { what, mend: None }
    }
}

impl From<&str> for Unusable {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
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
            Kind::Other(unusable) => &unusable.what,
        }
    }
}

impl Values<'_> {
    fn into_owned(self) -> Values<'static> {
        match self {
            Self::Numbers(numbers) => {
                let Numbers { element, big_endian, strides, offset, is_negated, bytes } = numbers;
                let bytes = Cow::Owned(bytes.into_owned());
                Values::Numbers(Numbers { element, big_endian, strides, offset, is_negated, bytes })
            }
            Self::Strings(texts) => Values::Strings(texts),
            Self::WithGaps(values, gaps) => Values::WithGaps(Box::new(values.into_owned()), gaps),
            Self::Other(unusable) => Values::Other(unusable),
            Self::Incomplete(incomplete) => Values::Incomplete(incomplete),
        }
    }

    fn rows(&self, rows: &Range<usize>) -> Values<'static> {
        match self {
            Self::Numbers(numbers) => {
                let first = numbers.strides.first().copied().unwrap_or_default();
                let Numbers { element, big_endian, strides, offset, is_negated, bytes } = numbers;
                let (element, big_endian, is_negated) = (*element, *big_endian, *is_negated);
                let (strides, offset, bytes) = (strides.clone(), offset + rows.start * first, bytes.to_vec().into());
                Values::Numbers(Numbers { element, big_endian, strides, offset, is_negated, bytes })
            }
            Self::Strings(texts) => Values::Strings(texts[rows.clone()].to_vec()),
            Self::WithGaps(values, gaps) => {
                let of_rows = gaps.iter().filter(|row| rows.contains(row)).map(|row| row - rows.start);
                let (values, gaps): (_, Vec<usize>) = (values.rows(rows), of_rows.collect());
                if gaps.is_empty() { values } else { Values::WithGaps(Box::new(values), gaps) }
            }
            Self::Other(unusable) => Values::Other(unusable.clone()),
            Self::Incomplete(incomplete) => Values::Incomplete(*incomplete),
        }
    }

    /// What the values are.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Numbers(numbers) => Kind::Numbers(numbers.element),
            Self::Strings(_) => Kind::Strings,
            Self::WithGaps(values, _) => values.kind(),
            Self::Other(unusable) => Kind::Other(unusable.clone()),
            Self::Incomplete(_) => Kind::Other("rows that are not whole".into()),
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
        Ok(Self {
            shape,
            values: Values::Numbers(Numbers { element, big_endian: false, strides, offset, is_negated: false, bytes }),
        })
    }

    /// The same array, with its bytes most significant first.
    pub(crate) fn big_endian(mut self, big_endian: bool) -> Self {
        if let Values::Numbers(numbers) = &mut self.values {
            numbers.big_endian = big_endian;
        }
        self
    }

    /// The same array of floating-point numbers, every one negated where `is_negated` is set.
    pub(crate) fn negated(mut self, is_negated: bool) -> Self {
        if let Values::Numbers(numbers) = &mut self.values {
            numbers.is_negated = is_negated;
        }
        self
    }

    /// The same array of numbers with no more bytes than it needs.
    pub(crate) fn compact(self) -> Array<'static> {
        let values = match &self.values {
            Values::Numbers(numbers) => Values::Numbers(numbers.compact(&self.shape)),
            _ => self.values.into_owned(),
        };
        Array { shape: self.shape, values }
    }

    /// Some rows of an array that has rows, with bytes of their own.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let all = self.shape.first().copied().unwrap_or_default();
        if rows.start > rows.end || rows.end > all {
            return Err(Corrupt(format!("rows {rows:?} of {all}")));
        }
        let mut shape = self.shape.clone();
        shape[0] = rows.len();
        Ok(Array { values: self.values.rows(&rows), shape })
    }

    /// What the array is, apart from its values.
    pub(crate) fn outline(&self) -> Outline {
        Outline { shape: self.shape.clone(), kind: self.values.kind() }
    }
}

/// Numbers in a shape, of one element type.
#[derive(Debug, Clone)]
pub(crate) struct Numbers<'a> {
    element: Element,
    big_endian: bool,
    strides: Vec<usize>,
    offset: usize,
    /// Whether every number is the negative of what is stored.
    is_negated: bool,
    bytes: Cow<'a, [u8]>,
}

impl Numbers<'_> {
    /// The elements of a matrix of so many columns, row after row, in place of as many `values`.
    pub(crate) fn write_to(&self, values: &mut [f64], columns: usize) {
        let start = self.offset * self.element.size();
        let is_in_order = self.strides == [columns, 1] && !self.big_endian && !self.is_negated;
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
        match self.stored(self.position(index)) {
            Number::Float(value) if self.is_negated => Number::Float(-value),
            number => number,
        }
    }

    fn position(&self, index: &[usize]) -> usize {
        let steps = index.iter().zip(&self.strides);
        self.offset + steps.map(|(i, stride)| i * stride).sum::<usize>()
    }

    /// All elements of the array, which has this shape, in C order.
    pub(crate) fn each(&self, shape: &[usize], take: &mut dyn FnMut(Number)) {
        Self::each_index(shape, &mut |index| take(self.at(index)));
    }

    /// The bytes of all elements in C order, and nothing else.
    fn compact(&self, shape: &[usize]) -> Numbers<'static> {
        let size = self.element.size();
        let mut bytes = Vec::new();
        Self::each_index(shape, &mut |index| {
            let start = self.position(index) * size;
            bytes.extend_from_slice(&self.bytes[start..start + size]);
        });
        let strides = (1..=shape.len()).map(|axis| shape[axis..].iter().product()).collect();
        let (element, big_endian, is_negated) = (self.element, self.big_endian, self.is_negated);
        Numbers { element, big_endian, strides, offset: 0, is_negated, bytes: Cow::Owned(bytes) }
    }

    fn each_index(shape: &[usize], take: &mut dyn FnMut(&[usize])) {
        if shape.contains(&0) {
            return;
        }
        let mut index = vec![0; shape.len()];
        loop {
            take(&index);
            let Some(axis) = (0..shape.len()).rev().find(|axis| index[*axis] + 1 < shape[*axis]) else { return };
            index[axis] += 1;
            index[axis + 1..].fill(0);
        }
    }

    fn stored(&self, position: usize) -> Number {
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
    fn rows_of_a_window_and_its_negative() {
        let raw: Vec<u8> = (0..6_u8).flat_map(|value| f32::from(value).to_le_bytes()).collect();
        let array = Array::strided(vec![3, 1], vec![2, 1], 1, Element::F32, bytes(&raw)).unwrap().negated(true);
        assert_eq!(numbers(&array), [-1.0, -3.0, -5.0]);
        assert_eq!(numbers(&array.rows(1..3).unwrap()), [-3.0, -5.0]);
        assert!(array.rows(1..4).is_err());
        let Values::Numbers(all) = &array.values else { panic!("numbers expected") };
        let mut found = Vec::new();
        all.each(&[3, 1], &mut |number| found.push(number.to_f64()));
        assert_eq!(found, [-1.0, -3.0, -5.0]);
        all.each(&[3, 0], &mut |_| panic!("there is none"));
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
