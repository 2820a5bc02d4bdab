//! `.npy` files of one array each, which together make a feature file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::input::{Input, Positioned};
use super::npy_header::Header;
use super::pickle::arrays::arrays_in;
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Outline, Unusable, Values};

/// An array whose header was read.
struct NpyFile {
    file: Positioned,
    header: Header,
    /// The array, where it is one of Python objects and was read at once.
    objects: Option<Array<'static>>,
}

struct NpyFiles(BTreeMap<&'static str, NpyFile>);

/// Opens the arrays of these names.
///
/// # Errors
/// If a file is no array.
pub(in crate::features) fn open(files: Vec<(&'static str, Input)>) -> Result<Box<dyn Container>, Corrupt> {
    let mut arrays = BTreeMap::new();
    for (name, input) in files {
        arrays.insert(name, NpyFile::open(&input).map_err(|corrupt| corrupt.inside(name))?);
    }
    Ok(Box::new(NpyFiles(arrays)))
}

/// Refuses a single array, which is no feature file.
pub(super) fn open_one(_input: &Input) -> Opened {
    Err(Corrupt("it holds one array; a feature file holds several".to_owned()).into())
}

impl NpyFile {
    fn open(input: &Input) -> Result<Self, Corrupt> {
        let unreadable = |error: std::io::Error| Corrupt(format!("it cannot be read: {error}"));
        let header = Header::read(&mut input.buffered().map_err(unreadable)?)?;
        let mut file = Positioned::open(input).map_err(unreadable)?;
        header.data_length(file.length())?;
        let objects = if header.is_of_objects() {
            let length =
                usize::try_from(file.length()).map_err(|_| Corrupt("it is larger than any memory".to_owned()))?;
            unpickled("", &header, &file.read(0, length)?).remove("")
        } else {
            None
        };
        Ok(Self { file, header, objects })
    }

    fn rows(&mut self, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        if let Some(array) = &self.objects {
            return array.rows(rows);
        }
        let bytes = stored_rows(&mut self.file, self.header.length() as u64, &self.header, rows.clone())?;
        self.header.of_rows(rows.len()).array(bytes)
    }
}

/// Reads the elements of some rows of an array whose first element is at `start`, in the array's own order.
pub(super) fn stored_rows(
    file: &mut Positioned,
    start: u64,
    header: &Header,
    rows: Range<usize>,
) -> Result<Vec<u8>, Corrupt> {
    let shape = header.outline().shape;
    let Some(item_size) = header.item_size() else { return Ok(Vec::new()) };
    let columns: usize = shape.iter().skip(1).product();
    let mut bytes = Vec::new();
    if header.is_by_columns() {
        let all_rows = shape.first().copied().unwrap_or_default();
        for column in 0..columns {
            let offset = start + ((column * all_rows + rows.start) * item_size) as u64;
            file.read_to(&mut bytes, offset, rows.len() * item_size)?;
        }
    } else {
        let row_bytes = columns * item_size;
        file.read_to(&mut bytes, start + (rows.start * row_bytes) as u64, rows.len() * row_bytes)?;
    }
    Ok(bytes)
}

/// Reads the arrays of a file of Python objects: one called `name`, or those of a dictionary.
pub(super) fn unpickled(name: &str, header: &Header, bytes: &[u8]) -> BTreeMap<String, Array<'static>> {
    let read = bytes.get(header.length()..).and_then(|pickle| arrays_in(name, pickle).ok());
    read.unwrap_or_else(|| {
        let unusable = Unusable::with_mend(
            "Python objects that cannot be read",
            "an array of numbers or strings is needed: np.stack(list(x)) of arrays of one shape, x.astype(str) of labels",
        );
        let array = Array { shape: header.outline().shape, values: Values::Other(unusable) };
        BTreeMap::from([(name.to_owned(), array)])
    })
}

impl NpyFiles {
    fn file(&mut self, name: &str) -> Result<&mut NpyFile, Corrupt> {
        self.0.get_mut(name).ok_or_else(|| Corrupt(format!("there is no file for `{name}`")))
    }
}

impl Container for NpyFiles {
    fn names(&self) -> BTreeSet<String> {
        self.0.keys().map(|name| (*name).to_owned()).collect()
    }

    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt> {
        let file = self.file(name)?;
        Ok(file.objects.as_ref().map_or_else(|| file.header.outline(), Array::outline))
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        self.file(name)?.rows(rows).map_err(|corrupt| corrupt.inside(name))
    }
}
