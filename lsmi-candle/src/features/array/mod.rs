//! Arrays as the formats hold them: a shape, an element type and bytes, not yet converted.
//!
//! Every format reads into an [`Array`]; what an array may be used for is decided once, by [`source`](super::read::source).
//! The constructors check that the bytes are all there, so that reading an element cannot go wrong later.

mod element;
mod numbers;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use self::element::{Element, Number};
pub(crate) use self::numbers::Numbers;

/// Why the bytes of a file are not what its format prescribes; the caller adds file and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Corrupt(pub(crate) String);

impl Corrupt {
    /// Names the array or archive member to blame.
    pub(crate) fn inside(self, name: &str) -> Self {
        Self(format!("`{name}`: {}", self.0))
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
    /// Values of which some are missing, at these places in C order. The values in their place mean nothing.
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

/// A description of an array, apart from its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: Kind,
}

/// The kind of values in an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Numbers(Element),
    Strings,
    /// Values that no analysis can use.
    Other(Unusable),
}

/// Values that no analysis can use as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// Their description, in words.
    pub(crate) what: String,
    /// How to make usable ones of them, where that depends on what they are.
    pub(crate) mend: Option<String>,
}

impl Unusable {
    /// Describes values and how to make usable ones of them.
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
    /// Writes the shape in Python's notation: `[3, 2]`.
    pub(crate) fn shape_text(&self) -> String {
        format!("{:?}", self.shape)
    }

    /// Describes the kind of values, in words.
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
            Self::Numbers(numbers) => Values::Numbers(numbers.into_owned()),
            Self::Strings(texts) => Values::Strings(texts),
            Self::WithGaps(values, gaps) => Values::WithGaps(Box::new(values.into_owned()), gaps),
            Self::Other(unusable) => Values::Other(unusable),
            Self::Incomplete(incomplete) => Values::Incomplete(incomplete),
        }
    }

    fn rows(&self, rows: &Range<usize>, width: usize) -> Values<'static> {
        match self {
            Self::Numbers(numbers) => Values::Numbers(numbers.skip_rows(rows.start)),
            Self::Strings(texts) => Values::Strings(texts[rows.clone()].to_vec()),
            Self::WithGaps(values, gaps) => {
                let places = rows.start * width..rows.end * width;
                let of_rows = gaps.iter().filter(|place| places.contains(place)).map(|place| place - places.start);
                let (values, gaps): (_, Vec<usize>) = (values.rows(rows, width), of_rows.collect());
                if gaps.is_empty() { values } else { Values::WithGaps(Box::new(values), gaps) }
            }
            Self::Other(unusable) => Values::Other(unusable.clone()),
            Self::Incomplete(incomplete) => Values::Incomplete(*incomplete),
        }
    }

    /// Returns the kind of the values.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Numbers(numbers) => Kind::Numbers(numbers.element()),
            Self::Strings(_) => Kind::Strings,
            Self::WithGaps(values, _) => values.kind(),
            Self::Other(unusable) => Kind::Other(unusable.clone()),
            Self::Incomplete(_) => Kind::Other("rows that are not whole".into()),
        }
    }
}

impl<'a> Array<'a> {
    /// Creates an array whose elements follow each other, the last index fastest (C order).
    pub(crate) fn contiguous(shape: Vec<usize>, element: Element, bytes: Cow<'a, [u8]>) -> Result<Self, Corrupt> {
        let strides = contiguous_strides(shape.iter().rev())?;
        let strides = strides.into_iter().rev().collect();
        Self::strided(shape, strides, 0, element, bytes)
    }

    /// Creates an array whose elements follow each other, the first index fastest (Fortran order).
    pub(crate) fn fortran(shape: Vec<usize>, element: Element, bytes: Cow<'a, [u8]>) -> Result<Self, Corrupt> {
        let strides = contiguous_strides(shape.iter())?;
        Self::strided(shape, strides, 0, element, bytes)
    }

    /// Creates a window into `bytes`: strides and offset count elements.
    ///
    /// Windows that show an element twice are refused: a few bytes could claim to be terabytes.
    pub(crate) fn strided(
        shape: Vec<usize>,
        strides: Vec<usize>,
        offset: usize,
        element: Element,
        bytes: Cow<'a, [u8]>,
    ) -> Result<Self, Corrupt> {
        check_window(&shape, &strides, offset, bytes.len() / element.size())?;
        Ok(Self { shape, values: Values::Numbers(Numbers::new(element, strides, offset, bytes)) })
    }

    /// Sets whether elements have their most significant byte first.
    pub(crate) fn big_endian(mut self, big_endian: bool) -> Self {
        if let Values::Numbers(numbers) = &mut self.values {
            numbers.set_big_endian(big_endian);
        }
        self
    }

    /// Sets whether all floating-point numbers are negated.
    pub(crate) fn negated(mut self, is_negated: bool) -> Self {
        if let Values::Numbers(numbers) = &mut self.values {
            numbers.set_negated(is_negated);
        }
        self
    }

    /// Copies the numbers of the window, without the bytes around it.
    pub(crate) fn compact(self) -> Array<'static> {
        let values = match &self.values {
            Values::Numbers(numbers) => Values::Numbers(numbers.compact(&self.shape)),
            _ => self.values.into_owned(),
        };
        Array { shape: self.shape, values }
    }

    /// Puts all elements into one dimension, in C order.
    pub(crate) fn flat(self) -> Array<'static> {
        let values = match &self.values {
            Values::Numbers(numbers) => Values::Numbers(numbers.flat(&self.shape)),
            _ => self.values.into_owned(),
        };
        Array { shape: vec![self.shape.iter().product()], values }
    }

    /// Copies some rows of an array that has rows.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let all = self.shape.first().copied().unwrap_or_default();
        if rows.start > rows.end || rows.end > all {
            return Err(Corrupt(format!("rows {rows:?} of {all}")));
        }
        let mut shape = self.shape.clone();
        shape[0] = rows.len();
        Ok(Array { values: self.values.rows(&rows, self.row_length()), shape })
    }

    /// Returns the number of values in a row.
    pub(crate) fn row_length(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Returns the row of a place in C order.
    pub(crate) fn row_of(&self, place: usize) -> usize {
        place / self.row_length().max(1)
    }

    /// Describes the array.
    pub(crate) fn outline(&self) -> Outline {
        Outline { shape: self.shape.clone(), kind: self.values.kind() }
    }
}

/// Checks that a window lies within the elements stored.
pub(crate) fn check_window(shape: &[usize], strides: &[usize], offset: usize, available: usize) -> Result<(), Corrupt> {
    if shape.len() != strides.len() {
        return Err(Corrupt(format!("shape {shape:?} with {} strides", strides.len())));
    }
    let needed = element_count(shape)?;
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(offset, |last, (&length, &stride)| last.checked_add(length.saturating_sub(1).checked_mul(stride)?));
    if needed > available || (needed > 0 && last.is_none_or(|last| last >= available)) {
        return Err(Corrupt(format!(
            "shape {shape:?} at offset {offset} needs more than the {available} elements stored; \
             in PyTorch, save a contiguous copy: x.contiguous().clone()"
        )));
    }
    Ok(())
}

/// Counts the elements of a shape.
pub(crate) fn element_count(shape: &[usize]) -> Result<usize, Corrupt> {
    shape
        .iter()
        .try_fold(1_usize, |product, &length| product.checked_mul(length))
        .ok_or_else(|| Corrupt(format!("shape {shape:?} is larger than any memory")))
}

/// Computes the strides of axes that are given fastest first.
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
