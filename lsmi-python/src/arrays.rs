//! NumPy's arrays as those that the library reads.

use lsmi_candle::features::{Arrays, FeatureError, Numbers};
use numpy::{Element, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Raised, usage};

/// An array that Python holds, borrowed for as long as this is.
pub(crate) enum Held<'py> {
    Bool(PyReadonlyArrayDyn<'py, bool>),
    U8(PyReadonlyArrayDyn<'py, u8>),
    U16(PyReadonlyArrayDyn<'py, u16>),
    U32(PyReadonlyArrayDyn<'py, u32>),
    U64(PyReadonlyArrayDyn<'py, u64>),
    I8(PyReadonlyArrayDyn<'py, i8>),
    I16(PyReadonlyArrayDyn<'py, i16>),
    I32(PyReadonlyArrayDyn<'py, i32>),
    I64(PyReadonlyArrayDyn<'py, i64>),
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
    /// Bits of 16-bit floating-point numbers, by the name of their type.
    Bits(String, PyReadonlyArrayDyn<'py, u16>),
    Strings(Vec<Option<String>>),
    /// Strings of several dimensions, in C order.
    ShapedStrings(Vec<usize>, Vec<Option<String>>),
}

/// Takes the arrays of a dictionary: NumPy's in C order, `("float16" | "bfloat16", bits)`, lists of `str` and `None`, or such a
/// list with its shape, `(shape, list)`.
pub(crate) fn held<'py>(arrays: &Bound<'py, PyDict>) -> PyResult<Vec<(String, Held<'py>)>> {
    arrays.iter().map(|(name, array)| Ok((name.extract()?, one(&array)?))).collect()
}

fn one<'py>(array: &Bound<'py, PyAny>) -> PyResult<Held<'py>> {
    fn borrowed<'py, T: Element>(array: &Bound<'py, PyAny>) -> Option<PyReadonlyArrayDyn<'py, T>> {
        array.extract().ok()
    }
    if let Ok((name, bits)) = array.extract::<(String, PyReadonlyArrayDyn<'py, u16>)>() {
        return Ok(Held::Bits(name, bits));
    }
    if let Ok((shape, strings)) = array.extract() {
        return Ok(Held::ShapedStrings(shape, strings));
    }
    let numbers = borrowed(array)
        .map(Held::F32)
        .or_else(|| borrowed(array).map(Held::F64))
        .or_else(|| borrowed(array).map(Held::I64))
        .or_else(|| borrowed(array).map(Held::I32))
        .or_else(|| borrowed(array).map(Held::Bool))
        .or_else(|| borrowed(array).map(Held::U8))
        .or_else(|| borrowed(array).map(Held::I8))
        .or_else(|| borrowed(array).map(Held::U16))
        .or_else(|| borrowed(array).map(Held::I16))
        .or_else(|| borrowed(array).map(Held::U32))
        .or_else(|| borrowed(array).map(Held::U64));
    match numbers {
        Some(numbers) => Ok(numbers),
        None => Ok(Held::Strings(array.extract()?)),
    }
}

/// Makes a table of borrowed arrays, with texts of metadata by key.
pub(crate) fn table<'a>(
    name: &str,
    arrays: &'a [(String, Held<'_>)],
    metadata: &[(&str, String)],
) -> PyResult<Arrays<'a>> {
    let mut table = Arrays::new(name);
    for (key, text) in metadata {
        table = table.with_metadata(key, text);
    }
    for (name, array) in arrays {
        table = match array {
            Held::Strings(strings) => table.with_strings(name, strings.clone()),
            Held::ShapedStrings(shape, strings) => {
                table.with_shaped_strings(name, shape, strings.clone()).map_err(Raised::from)?
            }
            Held::Bool(array) => add(table, name, array, Numbers::Bool)?,
            Held::U8(array) => add(table, name, array, Numbers::U8)?,
            Held::U16(array) => add(table, name, array, Numbers::U16)?,
            Held::U32(array) => add(table, name, array, Numbers::U32)?,
            Held::U64(array) => add(table, name, array, Numbers::U64)?,
            Held::I8(array) => add(table, name, array, Numbers::I8)?,
            Held::I16(array) => add(table, name, array, Numbers::I16)?,
            Held::I32(array) => add(table, name, array, Numbers::I32)?,
            Held::I64(array) => add(table, name, array, Numbers::I64)?,
            Held::F32(array) => add(table, name, array, Numbers::F32)?,
            Held::F64(array) => add(table, name, array, Numbers::F64)?,
            Held::Bits(kind, bits) if kind == "float16" => add(table, name, bits, Numbers::F16Bits)?,
            Held::Bits(kind, bits) if kind == "bfloat16" => add(table, name, bits, Numbers::Bf16Bits)?,
            Held::Bits(kind, _) => {
                return Err(usage(format!("`{name}`: bits of `{kind}`, which is no type known here")));
            }
        };
    }
    Ok(table)
}

fn add<'a, T: Element>(
    table: Arrays<'a>,
    name: &str,
    array: &'a PyReadonlyArrayDyn<'_, T>,
    numbers: impl FnOnce(&'a [T]) -> Numbers<'a>,
) -> PyResult<Arrays<'a>> {
    let values = array.as_slice().map_err(|_| usage(format!("`{name}` is not in C order")))?;
    let added: Result<_, FeatureError> = table.with_numbers(name, array.shape(), numbers(values));
    added.map_err(|error| Raised::from(error).into())
}
