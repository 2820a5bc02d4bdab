//! Arrow IPC in several batches, compressed or not, as a file and as a stream; and files that lie about their lengths.

use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeListArray, Float64Array, Int8Array, RecordBatch, StringArray, StringViewArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use lsmi_candle::features::{Classes, FeatureError, FeatureFile, Format, Keys, RowReader, read_bytes};

use crate::features::build::write;

/// Rows of the first batch; a number that stands nowhere in a file by chance.
const FIRST: usize = 1237;

const ROWS: usize = 2000;

fn batches() -> Vec<RecordBatch> {
    let number = |row: usize| f64::from(u32::try_from(row).unwrap()) / 4.0;
    #[expect(clippy::cast_possible_truncation, reason = "these numbers have few digits")]
    let pair = |row: usize| Some([Some(number(row) as f32), Some(-number(row) as f32)]);
    let labels = Arc::new(StringArray::from(vec!["ant", "a bee of more than twelve letters", "cow"]));
    let label = |row: usize| i8::try_from(row % 3).ok();
    [0..FIRST, FIRST..FIRST + 3, FIRST + 3..ROWS]
        .map(|rows| {
            let y = DictionaryArray::new(rows.clone().map(label).collect::<Int8Array>(), labels.clone());
            let columns: [(&str, ArrayRef); 4] = [
                (
                    "x1",
                    Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows.clone().map(pair), 2)),
                ),
                ("x2_0", Arc::new(rows.clone().map(|row| Some(number(row))).collect::<Float64Array>())),
                ("y", Arc::new(y)),
                ("id", Arc::new(rows.map(|row| Some(format!("sample number {row}"))).collect::<StringViewArray>())),
            ];
            RecordBatch::try_from_iter(columns).unwrap()
        })
        .to_vec()
}

fn written(compression: Option<CompressionType>, is_stream: bool) -> Vec<u8> {
    let batches = batches();
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let (mut bytes, schema) = (Vec::new(), batches[0].schema());
    if is_stream {
        let mut writer = StreamWriter::try_new_with_options(&mut bytes, &schema, options).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        writer.finish().unwrap();
    } else {
        let mut writer = FileWriter::try_new_with_options(&mut bytes, &schema, options).unwrap();
        for batch in &batches {
            writer.write(batch).unwrap();
        }
        writer.finish().unwrap();
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<FeatureFile, FeatureError> {
    read_bytes("a.arrow", bytes, Format::Arrow, &Keys::default())
}

#[test]
fn batches_are_read_whole_and_in_windows() {
    let classes = ["a bee of more than twelve letters", "ant", "cow"];
    let expected = read(&written(None, false)).unwrap();
    let all = &expected.splits[0].features;
    assert_eq!((all.rows(), all.x1.columns(), all.x1.row(FIRST)[1]), (ROWS, 2, -309.25));
    assert_eq!(
        (all.ids.get(ROWS - 1).as_ref(), expected.classes.names()),
        ("sample number 1999", &classes.map(str::to_owned)[..])
    );
    let classes = Classes::new(classes.map(str::to_owned).to_vec()).unwrap();
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        for is_stream in [false, true] {
            let bytes = written(compression, is_stream);
            assert_eq!(read(&bytes).unwrap().splits, expected.splits, "{compression:?} {is_stream}");
            let (_folder, path) = write("a.arrow", &bytes);
            let mut reader = RowReader::open(&path, &Keys::default(), &classes).unwrap();
            for rows in [0..FIRST, FIRST - 1..FIRST + 5, 3..4, 1500..ROWS, 0..ROWS] {
                let wanted: Vec<usize> = rows.clone().collect();
                assert_eq!(reader.read(0, rows).unwrap(), all.select(&wanted), "{compression:?} {is_stream}");
            }
        }
    }
}

/// Whatever a length or an offset claims, an error says so: nothing panics, and no memory is taken for it.
#[test]
fn lengths_that_lie() {
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        for is_stream in [false, true] {
            let bytes = written(compression, is_stream);
            let mut lies = 0;
            for at in (0..bytes.len() - 8).step_by(4) {
                let mut number = [0; 8];
                number.copy_from_slice(&bytes[at..at + 8]);
                // Rows of the batch and of its columns, bytes of x1 and x2, and so on.
                let is_length = [FIRST, FIRST * 8, FIRST * 2 * 4, FIRST * 16].contains(&usize::from_le_bytes(number));
                if !is_length {
                    continue;
                }
                lies += 1;
                for lie in [i64::MAX, -1, 1 << 40, i64::from(i32::MAX)] {
                    let mut bytes = bytes.clone();
                    bytes[at..at + 8].copy_from_slice(&lie.to_le_bytes());
                    assert!(read(&bytes).is_err(), "{compression:?} {is_stream}: {lie} at byte {at}");
                }
            }
            assert!(lies > 5, "{lies}");
        }
    }
}
