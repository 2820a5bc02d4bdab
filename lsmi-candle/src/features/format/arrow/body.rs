//! The body of a batch, of which only the buffers of some columns are read.

use std::io::{self, Read};
use std::ops::Range;

use arrow_buffer::Buffer;
use arrow_ipc::{CompressionType, RecordBatch};
use arrow_schema::{DataType, FieldRef, Schema, UnionMode};
use lz4_flex::frame::FrameDecoder;

use super::messages::Block;
use crate::features::array::Corrupt;
use crate::features::format::input::Positioned;
use crate::numbers::memory::{self, Shortage};

/// A byte of LZ4 makes at most 255 bytes.
const LARGEST_EXPANSION: u64 = 255;

/// A block of Zstandard takes three bytes at least and makes 128 KiB at most (RFC 8878, section 3.1.1.2).
const LARGEST_EXPANSION_OF_ZSTD: u64 = (128 << 10) / 3 + 1;

/// The length before a buffer that is not compressed though others are.
const NOT_COMPRESSED: i64 = -1;

/// Finds the places of the buffers of some columns in the list of all.
///
/// Buffers follow each other in the order of the columns, those of a list's values after its own. `is_version_4` says whether
/// unions have a bitmap, as they had before version 1.0 of Arrow.
pub(super) fn buffers_of(
    schema: &Schema,
    columns: &[usize],
    batch: &RecordBatch<'_>,
    is_version_4: bool,
) -> Vec<usize> {
    let mut views = batch.variadicBufferCounts().into_iter().flatten().map(|count| usize::try_from(count).unwrap_or(0));
    let mut start = 0;
    let mut wanted = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        let end = start + count(field.data_type(), is_version_4, &mut views);
        if columns.contains(&place) {
            wanted.extend(start..end);
        }
        start = end;
    }
    wanted
}

/// Counts the buffers of a column.
fn count(data_type: &DataType, is_version_4: bool, views: &mut dyn Iterator<Item = usize>) -> usize {
    let mut inner = |field: &FieldRef| count(field.data_type(), is_version_4, views);
    match data_type {
        DataType::Null => 0,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => 3,
        DataType::Utf8View | DataType::BinaryView => 2 + views.next().unwrap_or(0),
        DataType::List(values) | DataType::LargeList(values) | DataType::Map(values, _) => 2 + inner(values),
        DataType::ListView(values) | DataType::LargeListView(values) => 3 + inner(values),
        DataType::FixedSizeList(values, _) => 1 + inner(values),
        DataType::Struct(fields) => 1 + fields.iter().map(inner).sum::<usize>(),
        DataType::RunEndEncoded(ends, values) => inner(ends) + inner(values),
        DataType::Union(fields, mode) => {
            let own = 1 + usize::from(is_version_4) + usize::from(*mode == UnionMode::Dense);
            own + fields.iter().map(|(_, field)| inner(field)).sum::<usize>()
        }
        _ => 2,
    }
}

/// Reads some buffers of a batch to their places in its body. The places of all others stay zeros, which take no memory.
pub(super) fn read(
    file: &mut Positioned,
    block: Block,
    batch: &RecordBatch<'_>,
    wanted: &[usize],
) -> Result<Buffer, Corrupt> {
    let too_large = || Corrupt(format!("a batch of {} bytes is larger than any memory", block.body));
    let length = usize::try_from(block.body).map_err(|_| too_large())?;
    let all: Vec<Range<usize>> = batch.buffers().into_iter().flatten().map(place_of).collect();
    let places: Vec<&Range<usize>> = wanted.iter().filter_map(|buffer| all.get(*buffer)).collect();
    check_memory(places.iter().map(|place| place.len() as u64).sum())?;
    // Whole words, so that numbers lie where the processor wants them.
    let mut words: Vec<u64> = bytemuck::try_zeroed_vec(length.div_ceil(8)).map_err(|()| too_large())?;
    let body: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let mut unpacked = 0_u64;
    for place in places {
        let buffer = &mut body[place.clone()];
        file.fill(buffer, block.body_start() + place.start as u64)?;
        if let Some(compression) = batch.compression().filter(|_| !buffer.is_empty()) {
            unpacked = unpacked.saturating_add(unpacked_length(compression.codec(), buffer)?);
        }
    }
    check_memory(unpacked)?;
    Ok(Buffer::from_vec(words))
}

/// Returns the place of a buffer in the body, where it is known to lie.
fn place_of(buffer: &arrow_ipc::Buffer) -> Range<usize> {
    let whole = |value: i64| usize::try_from(value).unwrap_or(0);
    whole(buffer.offset())..whole(buffer.offset()) + whole(buffer.length())
}

fn check_memory(bytes: u64) -> Result<(), Corrupt> {
    let needed = usize::try_from(bytes).unwrap_or(usize::MAX);
    memory::check(needed, 1).map_err(|Shortage { needed, available }| {
        let [needed, available] = [needed, available].map(memory::in_words);
        Corrupt(format!("columns of a batch take {needed}, but only {available} of memory are free"))
    })
}

/// Returns the length of a compressed buffer once unpacked, which must be the one announced.
///
/// `arrow-ipc` takes memory for what is announced, and unpacks LZ4 to the end whatever was announced.
fn unpacked_length(codec: CompressionType, buffer: &[u8]) -> Result<u64, Corrupt> {
    let cut_short = || Corrupt("a compressed buffer is cut short".to_owned());
    let (announced, packed) = buffer.split_first_chunk().ok_or_else(cut_short)?;
    let announced = i64::from_le_bytes(*announced);
    if announced == NOT_COMPRESSED {
        return Ok(0);
    }
    let announced = u64::try_from(announced).map_err(|_| cut_short())?;
    let is_lz4 = codec == CompressionType::LZ4_FRAME;
    let largest = if is_lz4 { LARGEST_EXPANSION } else { LARGEST_EXPANSION_OF_ZSTD };
    if announced > (packed.len() as u64).saturating_mul(largest) {
        return Err(Corrupt(format!("a buffer claims {announced} bytes, packed in {}: impossible", packed.len())));
    }
    if is_lz4 {
        let unpacked = io::copy(&mut FrameDecoder::new(packed).take(announced + 1), &mut io::sink());
        if unpacked.map_err(|error| Corrupt(format!("a buffer cannot be unpacked: {error}")))? != announced {
            return Err(Corrupt(format!("a buffer unpacks to another size than the {announced} bytes announced")));
        }
    }
    Ok(announced)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use arrow_schema::Field;
    use lz4_flex::frame::FrameEncoder;

    use super::*;

    fn packed(announced: i64, values: &[u8]) -> Vec<u8> {
        let mut encoder = FrameEncoder::new(Vec::new());
        encoder.write_all(values).unwrap();
        [announced.to_le_bytes().to_vec(), encoder.finish().unwrap()].concat()
    }

    #[test]
    fn announced_lengths_must_be_true() {
        let length = |announced| unpacked_length(CompressionType::LZ4_FRAME, &packed(announced, &[7; 1000]));
        assert_eq!(length(1000), Ok(1000));
        assert_eq!(length(NOT_COMPRESSED), Ok(0));
        for wrong in [0, 999, 1001, 1 << 40, i64::MIN] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
        assert!(unpacked_length(CompressionType::ZSTD, &packed(1 << 40, &[7; 1000])).is_err());
        assert!(unpacked_length(CompressionType::ZSTD, &[0; 7]).is_err());
    }

    #[test]
    fn buffers_of_nested_columns() {
        let list = |data_type| DataType::new_list(data_type, true);
        let count = |data_type: &DataType| count(data_type, true, &mut [3].into_iter());
        let fields = vec![Field::new("a", DataType::Utf8View, true), Field::new("b", list(DataType::Utf8), true)];
        assert_eq!(count(&DataType::Struct(fields.into())), 1 + 5 + 5);
        assert_eq!(count(&DataType::new_fixed_size_list(list(DataType::Int8), 2, true)), 1 + 2 + 2);
        assert_eq!(count(&DataType::Null), 0);
    }
}
