//! Writing of feature files: named arrays and text as the bytes of a `.safetensors` file.
//!
//! The `safetensors` crate keeps metadata in a hash map, so that two runs give two orders. Here the same arrays and
//! metadata always give the same bytes: both are sorted by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::numbers::matrix::Matrix;

/// The key of the header under which metadata stand.
const METADATA: &str = "__metadata__";

/// An array to be written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ArrayValues<'a> {
    /// `[rows, columns]`, 64-bit floating-point numbers.
    Matrix(&'a Matrix),
    /// `[n]`, 64-bit floating-point numbers.
    Vector(&'a [f64]),
    /// `[n]`, 64-bit integers.
    Integers(&'a [i64]),
}

/// Why arrays cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The format uses the name itself.
    #[error("`{name}` is a name of the format's own; call the array something else")]
    ReservedName {
        /// The array's name.
        name: String,
    },
}

/// Writes arrays and metadata as the bytes of a `.safetensors` file.
///
/// ```
/// use std::collections::BTreeMap;
/// use lsmi_candle::features::{ArrayValues, Format, Keys, read_bytes, write_safetensors};
/// use lsmi_candle::numbers::matrix::Matrix;
///
/// let x1 = Matrix::new(2, 1, vec![0.5, -0.5])?;
/// let x2 = Matrix::new(2, 2, vec![1.0, 2.0, 3.0, 4.0])?;
/// let arrays = BTreeMap::from([
///     ("x1", ArrayValues::Matrix(&x1)),
///     ("x2", ArrayValues::Matrix(&x2)),
///     ("y", ArrayValues::Integers(&[7, 3])),
/// ]);
/// let bytes = write_safetensors(&arrays, &BTreeMap::new())?;
///
/// let file = read_bytes("simulated", &bytes, Format::SafeTensors, &Keys::default())?;
/// assert_eq!(file.splits[0].features.x2, x2);
/// assert_eq!(file.splits[0].features.labels, [1, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WriteError::ReservedName`] for an array called `__metadata__`.
pub fn write_safetensors(
    arrays: &BTreeMap<&str, ArrayValues<'_>>,
    metadata: &BTreeMap<&str, String>,
) -> Result<Vec<u8>, WriteError> {
    let mut header = Map::new();
    let mut data = Vec::new();
    if !metadata.is_empty() {
        header.insert(METADATA.to_owned(), json!(metadata));
    }
    for (&name, values) in arrays {
        if name == METADATA {
            return Err(WriteError::ReservedName { name: name.to_owned() });
        }
        let start = data.len();
        let (element, shape) = values.append_to(&mut data);
        let info = json!({ "dtype": element, "shape": shape, "data_offsets": [start, data.len()] });
        header.insert(name.to_owned(), info);
    }
    let mut header = Value::Object(header).to_string();
    // Blanks bring the tensors to a multiple of their size, as the format asks.
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bytes.extend(data);
    Ok(bytes)
}

impl ArrayValues<'_> {
    /// Appends the elements. Returns the format's name for their type, and the shape.
    fn append_to(self, data: &mut Vec<u8>) -> (&'static str, Vec<usize>) {
        let mut floats = |values: &[f64]| data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        match self {
            Self::Matrix(matrix) => {
                floats(matrix.values());
                ("F64", vec![matrix.rows(), matrix.columns()])
            }
            Self::Vector(values) => {
                floats(values);
                ("F64", vec![values.len()])
            }
            Self::Integers(values) => {
                data.extend(values.iter().flat_map(|v| v.to_le_bytes()));
                ("I64", vec![values.len()])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ArrayValues, WriteError, write_safetensors};
    use std::collections::BTreeMap;

    #[test]
    fn the_crate_of_the_format_reads_what_is_written() {
        let arrays = BTreeMap::from([
            ("r", ArrayValues::Vector(&[0.1, -2.0, 3.5])),
            ("label", ArrayValues::Integers(&[1, -1, 0])),
        ]);
        let metadata = BTreeMap::from([("family", "and".to_owned()), ("a", "\"\n".to_owned())]);
        let bytes = write_safetensors(&arrays, &metadata).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let labels = file.tensor("label").unwrap();
        assert_eq!(labels.shape(), [3]);
        assert_eq!(labels.data()[8..16], (-1_i64).to_le_bytes());
        assert_eq!(file.tensor("r").unwrap().data()[16..], 3.5_f64.to_le_bytes());
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(header.metadata().as_ref().unwrap()["a"], "\"\n");
        assert_eq!(bytes, write_safetensors(&arrays, &metadata).unwrap());
    }

    #[test]
    fn the_formats_own_name_is_refused() {
        let arrays = BTreeMap::from([("__metadata__", ArrayValues::Vector(&[0.0]))]);
        assert!(matches!(write_safetensors(&arrays, &BTreeMap::new()), Err(WriteError::ReservedName { .. })));
    }
}
