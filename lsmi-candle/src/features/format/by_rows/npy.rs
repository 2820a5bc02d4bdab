//! `.npy` files, one array each, that make a feature file together; and rows of an array that is stored as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;

use super::ByRows;
use super::positioned::Positioned;
use crate::features::array::{Array, Corrupt, Outline};
use crate::features::format::npy::{Header, unpickled};

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
pub(in crate::features) fn open(files: Vec<(&'static str, File)>) -> Result<Box<dyn ByRows>, Corrupt> {
    let mut arrays = BTreeMap::new();
    for (name, file) in files {
        arrays.insert(name, NpyFile::open(file).map_err(|corrupt| corrupt.inside(name))?);
    }
    Ok(Box::new(NpyFiles(arrays)))
}

impl NpyFile {
    fn open(file: File) -> Result<Self, Corrupt> {
        let unreadable = |error: std::io::Error| Corrupt(format!("it cannot be read: {error}"));
        let header = Header::read(&mut BufReader::new(file.try_clone().map_err(unreadable)?))?;
        let mut file = Positioned::new(file).map_err(unreadable)?;
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
        let bytes = stored_rows(&mut self.file, self.header.length(), &self.header, rows.clone())?;
        self.header.of_rows(rows.len()).array(bytes)
    }
}

/// The elements of some rows of an array whose first element is at `start`, in the array's own order.
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

impl NpyFiles {
    fn file(&mut self, name: &str) -> Result<&mut NpyFile, Corrupt> {
        self.0.get_mut(name).ok_or_else(|| Corrupt(format!("there is no file for `{name}`")))
    }
}

impl ByRows for NpyFiles {
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
