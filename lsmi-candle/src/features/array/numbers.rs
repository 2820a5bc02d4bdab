//! Numbers in a window of bytes.

use std::borrow::Cow;

use half::{bf16, f16};

use super::element::{Element, Number};

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

impl<'a> Numbers<'a> {
    /// Creates numbers whose bytes are known to hold the window.
    pub(super) fn new(element: Element, strides: Vec<usize>, offset: usize, bytes: Cow<'a, [u8]>) -> Self {
        Self { element, big_endian: false, strides, offset, is_negated: false, bytes }
    }

    pub(super) fn element(&self) -> Element {
        self.element
    }

    pub(super) fn set_big_endian(&mut self, big_endian: bool) {
        self.big_endian = big_endian;
    }

    pub(super) fn set_negated(&mut self, is_negated: bool) {
        self.is_negated = is_negated;
    }

    pub(super) fn into_owned(self) -> Numbers<'static> {
        let Self { element, big_endian, strides, offset, is_negated, bytes } = self;
        Numbers { element, big_endian, strides, offset, is_negated, bytes: Cow::Owned(bytes.into_owned()) }
    }

    /// Copies the numbers without the first rows.
    pub(super) fn skip_rows(&self, rows: usize) -> Numbers<'static> {
        let mut numbers = self.clone().into_owned();
        numbers.offset += rows * self.strides.first().copied().unwrap_or_default();
        numbers
    }

    /// Writes the elements of an array whose rows have this shape, in C order, over `values`.
    pub(crate) fn write_to(&self, values: &mut [f64], row_shape: &[usize]) {
        let start = self.offset * self.element.size();
        let is_in_order = self.strides == strides_in_order(row_shape) && !self.big_endian && !self.is_negated;
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
                let mut index = vec![0; row_shape.len() + 1];
                let row_numbers = row_shape.iter().product::<usize>().max(1);
                for (row, values) in values.chunks_exact_mut(row_numbers).enumerate() {
                    index[0] = row;
                    for value in values {
                        *value = self.at(&index).to_f64();
                        advance(&mut index[1..], row_shape);
                    }
                }
            }
        }
    }

    /// Returns the element at an index inside the array's shape.
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

    /// Passes on all elements of the array, which has this shape, in C order.
    pub(crate) fn each(&self, shape: &[usize], take: &mut dyn FnMut(Number)) {
        Self::each_index(shape, &mut |index| take(self.at(index)));
    }

    /// Copies the elements in C order, without any others.
    pub(super) fn compact(&self, shape: &[usize]) -> Numbers<'static> {
        let size = self.element.size();
        let mut bytes = Vec::new();
        Self::each_index(shape, &mut |index| {
            let start = self.position(index) * size;
            bytes.extend_from_slice(&self.bytes[start..start + size]);
        });
        let strides = shape.get(1..).map(strides_in_order).unwrap_or_default();
        let (element, big_endian, is_negated) = (self.element, self.big_endian, self.is_negated);
        Numbers { element, big_endian, strides, offset: 0, is_negated, bytes: Cow::Owned(bytes) }
    }

    /// Copies the elements in C order, in one dimension.
    pub(super) fn flat(&self, shape: &[usize]) -> Numbers<'static> {
        Numbers { strides: vec![1], ..self.compact(shape) }
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

    /// Returns the bytes of an element, least significant first.
    fn raw<const SIZE: usize>(&self, position: usize) -> [u8; SIZE] {
        let mut raw = [0; SIZE];
        raw.copy_from_slice(&self.bytes[position * SIZE..][..SIZE]);
        if self.big_endian {
            raw.reverse();
        }
        raw
    }
}

/// Returns the strides of an array in C order whose rows have this shape.
fn strides_in_order(row_shape: &[usize]) -> Vec<usize> {
    (0..=row_shape.len()).map(|axis| row_shape[axis..].iter().product()).collect()
}

/// Goes to the next index in C order; from the last one back to the first.
fn advance(index: &mut [usize], shape: &[usize]) {
    for (place, length) in index.iter_mut().zip(shape).rev() {
        *place += 1;
        if *place < *length {
            return;
        }
        *place = 0;
    }
}
