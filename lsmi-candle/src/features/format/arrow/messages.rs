//! The headers of a file: its footer, and the messages that say where the buffers of a batch lie.

use std::collections::BTreeMap;

use arrow_ipc::{
    BodyCompressionMethod, CompressionType, Endianness, MessageHeader, MetadataVersion, root_as_footer, root_as_message,
};

use super::bodies::{Packing, Place};
use super::layout::FieldType;
use crate::features::array::Corrupt;

/// What a file begins and ends with.
const MAGIC: &[u8; 6] = b"ARROW1";

/// What the first version of Feather begins with.
const FEATHER_1: &[u8; 4] = b"FEA1";

/// What precedes the length of a message since version 0.15 of Arrow.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Where a message lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    offset: u64,
    header: u64,
    body: u64,
}

/// What the end of a file says of it.
pub(super) struct Footer {
    pub(super) fields: Vec<FieldType>,
    pub(super) dictionaries: Vec<Block>,
    pub(super) batches: Vec<Block>,
    pub(super) texts: BTreeMap<String, String>,
}

/// Some rows, or some values of a dictionary.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) rows: usize,
    /// Length and number of nulls of every column, and of those in it.
    pub(super) nodes: Vec<(usize, i64)>,
    /// Place in the file and length of every buffer.
    pub(super) buffers: Vec<(u64, u64)>,
    /// How many buffers of text each column of views has.
    pub(super) view_buffers: Vec<usize>,
    pub(super) packing: Option<Packing>,
    /// The dictionary that it is of, and whether it adds to it.
    pub(super) dictionary: Option<(i64, bool)>,
}

fn negative(what: &str) -> Corrupt {
    Corrupt(format!("{what} is negative"))
}

/// Reads the footer of a file, or puts it together from the messages of a stream.
pub(super) fn footer_of(place: &mut Place) -> Result<Footer, Corrupt> {
    let length = place.length();
    let start = place.read(0, length.min(8))?;
    if start.starts_with(&CONTINUATION) {
        return footer_of_stream(place);
    }
    if !start.starts_with(MAGIC) {
        return Err(Corrupt(match &*start {
            start if start.starts_with(FEATHER_1) => {
                "it is of version 1 of Feather; write it anew, e.g. pyarrow.feather.write_feather".to_owned()
            }
            _ => "it does not begin like a file of Arrow IPC".to_owned(),
        }));
    }
    let cut_short = || Corrupt(format!("it ends without its footer, after {length} bytes"));
    let trailer = length.checked_sub(10).ok_or_else(cut_short)?;
    let end = place.read(trailer, 10)?;
    let (size, magic) = end.split_first_chunk::<4>().ok_or_else(cut_short)?;
    let size = u64::try_from(i32::from_le_bytes(*size)).map_err(|_| cut_short())?;
    if magic != MAGIC || size > trailer {
        return Err(cut_short());
    }
    let bytes = place.read(trailer - size, size)?;
    let footer = root_as_footer(&bytes).map_err(|error| Corrupt(format!("its footer is invalid: {error}")))?;
    let schema = footer.schema().ok_or_else(|| Corrupt("its footer has no schema".to_owned()))?;
    let (fields, texts) = fields_of(schema, footer.version())?;
    let block = |block| block_of(block, trailer);
    let dictionaries = footer.dictionaries().into_iter().flatten().map(block).collect::<Result<_, _>>()?;
    let batches = footer.recordBatches().into_iter().flatten().map(block).collect::<Result<_, _>>()?;
    Ok(Footer { fields, dictionaries, batches, texts })
}

/// Columns and texts of a schema.
fn fields_of(
    schema: arrow_ipc::Schema<'_>,
    version: MetadataVersion,
) -> Result<(Vec<FieldType>, BTreeMap<String, String>), Corrupt> {
    if version < MetadataVersion::V4 {
        return Err(Corrupt("it is of a version of Arrow before 0.8; write it anew".to_owned()));
    }
    if schema.endianness() != Endianness::Little {
        return Err(Corrupt(
            "its numbers have the most significant byte first; write it on another machine".to_owned(),
        ));
    }
    let is_version_4 = version == MetadataVersion::V4;
    let fields = schema.fields().into_iter().flatten().map(|field| FieldType::of(field, is_version_4));
    let texts = schema.custom_metadata().into_iter().flatten();
    let texts = texts.filter_map(|pair| Some((pair.key()?.to_owned(), pair.value()?.to_owned())));
    Ok((fields.collect::<Result<_, _>>()?, texts.collect()))
}

/// What a stream says: its schema comes first, then come its batches, one after the other ("IPC Streaming Format").
fn footer_of_stream(place: &mut Place) -> Result<Footer, Corrupt> {
    let length = place.length();
    let mut footer: Option<Footer> = None;
    let mut offset = 0;
    // Without the message of length 0 that says the end, rows may be missing.
    loop {
        if offset + 8 > length {
            return Err(Corrupt(format!("its stream is cut short: its end is not marked after {length} bytes")));
        }
        let prefix = place.read(offset, 8)?;
        let (continuation, size) = prefix.split_at(CONTINUATION.len());
        let mut raw = [0; 4];
        raw.copy_from_slice(size);
        let size = u64::try_from(i32::from_le_bytes(raw)).map_err(|_| negative("the length of a message"))?;
        if continuation != CONTINUATION {
            return Err(Corrupt(format!("no message of its stream begins at byte {offset}")));
        }
        if size == 0 {
            break;
        }
        let bytes = place.read(offset + 8, size)?;
        let message =
            root_as_message(&bytes).map_err(|error| Corrupt(format!("the header of a batch is invalid: {error}")))?;
        let body = u64::try_from(message.bodyLength()).map_err(|_| negative("the length of a batch"))?;
        let block = Block { offset, header: 8 + size, body };
        let next = offset.checked_add(block.header).and_then(|end| end.checked_add(body));
        let next = next
            .filter(|next| *next <= length)
            .ok_or_else(|| Corrupt(format!("a batch of {body} bytes at {offset} reaches beyond its end")))?;
        match (message.header_type(), &mut footer) {
            (MessageHeader::Schema, footer @ None) => {
                let schema = message.header_as_schema().ok_or_else(|| Corrupt("its schema is none".to_owned()))?;
                let (fields, texts) = fields_of(schema, message.version())?;
                *footer = Some(Footer { fields, dictionaries: Vec::new(), batches: Vec::new(), texts });
            }
            (MessageHeader::DictionaryBatch, Some(footer)) => footer.dictionaries.push(block),
            (MessageHeader::RecordBatch, Some(footer)) => footer.batches.push(block),
            _ => return Err(Corrupt(format!("a message of its stream at byte {offset} is in no place for it"))),
        }
        offset = next;
    }
    footer.ok_or_else(|| Corrupt("its stream has no schema".to_owned()))
}

/// A block that lies within the file.
fn block_of(block: &arrow_ipc::Block, end: u64) -> Result<Block, Corrupt> {
    let whole = |value: i64| u64::try_from(value).map_err(|_| negative("the place of a batch"));
    let found = Block {
        offset: whole(block.offset())?,
        header: whole(block.metaDataLength().into())?,
        body: whole(block.bodyLength())?,
    };
    let last = found.offset.checked_add(found.header).and_then(|sum| sum.checked_add(found.body));
    if last.is_none_or(|last| last > end) {
        return Err(Corrupt(format!("a batch of {} bytes at {} reaches beyond its end", found.body, found.offset)));
    }
    Ok(found)
}

/// Reads the message of a block.
pub(super) fn message_at(place: &mut Place, block: Block) -> Result<Batch, Corrupt> {
    let bytes = place.read(block.offset, block.header)?;
    let skipped = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
    let bytes = bytes.get(skipped..).ok_or_else(|| Corrupt("the header of a batch is cut short".to_owned()))?;
    let message =
        root_as_message(bytes).map_err(|error| Corrupt(format!("the header of a batch is invalid: {error}")))?;
    let (batch, dictionary) = match message.header_type() {
        MessageHeader::RecordBatch => (message.header_as_record_batch(), None),
        MessageHeader::DictionaryBatch => {
            let dictionary = message.header_as_dictionary_batch();
            let batch = dictionary.and_then(|dictionary| dictionary.data());
            (batch, dictionary.map(|dictionary| (dictionary.id(), dictionary.isDelta())))
        }
        _ => (None, None),
    };
    let batch = batch.ok_or_else(|| Corrupt("one of its batches is none".to_owned()))?;
    let rows = usize::try_from(batch.length()).map_err(|_| negative("the number of rows of a batch"))?;
    let mut nodes = Vec::new();
    for node in batch.nodes().into_iter().flatten() {
        let length = usize::try_from(node.length()).map_err(|_| negative("the length of a column"))?;
        nodes.push((length, node.null_count()));
    }
    let mut buffers = Vec::new();
    for buffer in batch.buffers().into_iter().flatten() {
        let whole = |value: i64| u64::try_from(value).map_err(|_| negative("the place of a buffer"));
        let (offset, length) = (whole(buffer.offset())?, whole(buffer.length())?);
        if offset.checked_add(length).is_none_or(|end| end > block.body) {
            return Err(Corrupt(format!("a buffer of {length} bytes at {offset} reaches beyond its batch")));
        }
        buffers.push((block.offset + block.header + offset, length));
    }
    let view_buffers = batch.variadicBufferCounts().into_iter().flatten();
    let view_buffers = view_buffers.map(|count| usize::try_from(count).map_err(|_| negative("a number of buffers")));
    let view_buffers = view_buffers.collect::<Result<_, _>>()?;
    let packing = match batch.compression() {
        None => None,
        Some(of_body) if of_body.method() != BodyCompressionMethod::BUFFER => {
            return Err(Corrupt("it is compressed in an unknown way; write it without compression".to_owned()));
        }
        Some(of_body) if of_body.codec() == CompressionType::LZ4_FRAME => Some(Packing::Lz4),
        Some(of_body) if of_body.codec() == CompressionType::ZSTD => Some(Packing::Zstandard),
        Some(_) => {
            return Err(Corrupt("it is compressed in an unknown way; write it without compression".to_owned()));
        }
    };
    Ok(Batch { rows, nodes, buffers, view_buffers, packing, dictionary })
}
