//! Feature files made for the tests: `.safetensors` by its own crate, `.npz` by hand after `NumPy`'s description.

use std::collections::HashMap;
use std::io::{Cursor, Write};

use half::{bf16, f16};
use lsmi_candle::features::{FeatureError, FeatureFile, Format, Keys, read_bytes};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An array to be put into a file: little-endian, in C order.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// How `.npz` members are written.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) method: CompressionMethod,
    pub(crate) fortran: bool,
    pub(crate) big_endian: bool,
}

pub(crate) const STORED: Layout = Layout { method: CompressionMethod::Stored, fortran: false, big_endian: false };

impl Item {
    /// Values converted to the element type; integers must fit it.
    pub(crate) fn new(dtype: Dtype, shape: &[usize], values: &[f64]) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        let bytes = values.iter().flat_map(|value| encode(dtype, *value)).collect();
        Self { dtype, shape: shape.to_vec(), bytes }
    }

    fn item_size(&self) -> usize {
        self.dtype.bitsize() / 8
    }

    /// Bytes in Fortran order, for a matrix.
    fn fortran_bytes(&self) -> Vec<u8> {
        let &[rows, columns] = self.shape.as_slice() else {
            return self.bytes.clone();
        };
        let items: Vec<&[u8]> = self.bytes.chunks(self.item_size()).collect();
        let order = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
        order.flat_map(|position| items[position].to_vec()).collect()
    }

    fn npy(&self, layout: Layout) -> Vec<u8> {
        let kind = match self.dtype {
            Dtype::BOOL => 'b',
            Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 => 'u',
            Dtype::I8 | Dtype::I16 | Dtype::I32 | Dtype::I64 => 'i',
            Dtype::F16 | Dtype::F32 | Dtype::F64 => 'f',
            other => panic!("NumPy has no {other}"),
        };
        let size = self.item_size();
        let order = match (size, layout.big_endian) {
            (1, _) => '|',
            (_, true) => '>',
            (_, false) => '<',
        };
        let mut bytes = if layout.fortran { self.fortran_bytes() } else { self.bytes.clone() };
        if layout.big_endian {
            bytes.chunks_mut(size).for_each(<[u8]>::reverse);
        }
        npy(&format!("{order}{kind}{size}"), layout.fortran, &self.shape, &bytes)
    }
}

fn encode(dtype: Dtype, value: f64) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "test values are small")]
    let integer = value as i64;
    let whole = |size: usize| integer.to_le_bytes()[..size].to_vec();
    match dtype {
        Dtype::BOOL | Dtype::U8 | Dtype::I8 => whole(1),
        Dtype::U16 | Dtype::I16 => whole(2),
        Dtype::U32 | Dtype::I32 => whole(4),
        Dtype::U64 | Dtype::I64 => whole(8),
        Dtype::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
        Dtype::BF16 => bf16::from_f64(value).to_le_bytes().to_vec(),
        #[expect(clippy::cast_possible_truncation, reason = "the element type asked for")]
        Dtype::F32 => (value as f32).to_le_bytes().to_vec(),
        Dtype::F64 => value.to_le_bytes().to_vec(),
        other => panic!("the tests write no {other}"),
    }
}

/// A `.npy` array, version 1.0.
pub(crate) fn npy(descr: &str, fortran: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let lengths: Vec<String> = shape.iter().map(|length| format!("{length},")).collect();
    let lengths = lengths.concat();
    let order = if fortran { "True" } else { "False" };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({lengths}), }}");
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(data);
    bytes
}

/// A zip archive of the given members.
pub(crate) fn archive(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(crate) fn npz(items: &[(&str, Item)], layout: Layout) -> Vec<u8> {
    let names: Vec<String> = items.iter().map(|(name, _)| format!("{name}.npy")).collect();
    let members: Vec<(&str, Vec<u8>)> =
        names.iter().zip(items).map(|(name, (_, item))| (name.as_str(), item.npy(layout))).collect();
    archive(&members, layout.method)
}

pub(crate) fn safetensors(items: &[(&str, Item)], metadata: &[(&str, &str)]) -> Vec<u8> {
    let views =
        items.iter().map(|(name, item)| (*name, TensorView::new(item.dtype, item.shape.clone(), &item.bytes).unwrap()));
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    safetensors::serialize(views, Some(metadata)).unwrap()
}

/// Four samples of two classes, as short as a file can be that is right in everything.
pub(crate) fn sample() -> Vec<(&'static str, Item)> {
    vec![
        ("x1", Item::new(Dtype::F32, &[4, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])),
        ("x2", Item::new(Dtype::F64, &[4, 1], &[0.5, -0.5, 1.5, 2.5])),
        ("y", Item::new(Dtype::I64, &[4], &[1.0, 0.0, 0.0, 1.0])),
    ]
}

/// [`sample`] with arrays replaced or added.
pub(crate) fn sample_with(changes: Vec<(&'static str, Item)>) -> Vec<(&'static str, Item)> {
    let mut items = sample();
    items.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    items.extend(changes);
    items
}

pub(crate) fn labels(values: &[f64]) -> Item {
    Item::new(Dtype::I64, &[values.len()], values)
}

pub(crate) fn read_safetensors(items: &[(&str, Item)], metadata: &[(&str, &str)]) -> Result<FeatureFile, FeatureError> {
    read_bytes("sample.safetensors", &safetensors(items, metadata), Format::SafeTensors, &Keys::default())
}

pub(crate) fn read_npz(bytes: &[u8]) -> Result<FeatureFile, FeatureError> {
    read_bytes("sample.npz", bytes, Format::Npz, &Keys::default())
}

pub(crate) fn fixture(name: &str) -> std::path::PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", name].iter().collect()
}

/// Arrays of splits, whose rows differ; the names as `name(role, split)`.
pub(crate) fn with_splits(splits: &[&str], name: impl Fn(&str, &str) -> String) -> Vec<(String, Item)> {
    splits
        .iter()
        .flat_map(|split| sample().into_iter().map(|(role, item)| (name(role, split), item)).collect::<Vec<_>>())
        .collect()
}

pub(crate) fn borrowed(items: &[(String, Item)]) -> Vec<(&str, Item)> {
    items.iter().map(|(name, item)| (name.as_str(), item.clone())).collect()
}

/// A file in a folder that is gone when the folder is dropped.
pub(crate) fn write(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// An error's message has these parts and no full stop.
pub(crate) fn says(error: &FeatureError, parts: &[&str]) {
    let message = format!("{error}; {}", error.hint().unwrap_or_default());
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    assert!(!error.to_string().ends_with('.'), "{error}");
}
