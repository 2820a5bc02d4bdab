//! The messages of a file or stream: where they lie, and that their lengths and offsets can be true.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::{
    BodyCompressionMethod, CompressionType, Endianness, Message, MessageHeader, MetadataVersion, RecordBatch,
    root_as_footer, root_as_message,
};
use arrow_schema::{DataType, SchemaRef};

use super::is_text;
use crate::features::array::Corrupt;
use crate::features::format::input::Positioned;
use crate::guarded::guarded;

/// The first and last bytes of a file.
const MAGIC: &[u8; 6] = b"ARROW1";

/// The first bytes of version 1 of Feather.
const FEATHER_1: &[u8; 4] = b"FEA1";

/// The bytes before the length of a message since version 0.15 of Arrow.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The place of a message and its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    offset: u64,
    header: u64,
    pub(super) body: u64,
}

impl Block {
    /// Returns the place of the first byte of the body.
    pub(super) fn body_start(&self) -> u64 {
        self.offset + self.header
    }
}

/// The contents of a file.
pub(super) struct Contents {
    pub(super) schema: SchemaRef,
    /// The ids of the dictionaries of columns of text.
    pub(super) text_dictionaries: BTreeSet<i64>,
    pub(super) dictionaries: Vec<Block>,
    pub(super) batches: Vec<Block>,
}

fn negative(what: &str) -> Corrupt {
    Corrupt(format!("{what} is negative"))
}

/// Finds the messages of a file by its footer, or of a stream by going from one to the next.
pub(super) fn contents_of(file: &mut Positioned) -> Result<Contents, Corrupt> {
    let length = file.length();
    let start = file.read(0, usize::from(length >= 8) * 8)?;
    if start.starts_with(&CONTINUATION) {
        return contents_of_stream(file);
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
    let end = file.read(trailer, 10)?;
    let (size, magic) = end.split_first_chunk::<4>().ok_or_else(cut_short)?;
    let size = u64::try_from(i32::from_le_bytes(*size)).map_err(|_| cut_short())?;
    if magic != MAGIC || size > trailer {
        return Err(cut_short());
    }
    let bytes = read(file, trailer - size, size)?;
    let footer = root_as_footer(&bytes).map_err(|error| Corrupt(format!("its footer is invalid: {error}")))?;
    let schema = footer.schema().ok_or_else(|| Corrupt("its footer has no schema".to_owned()))?;
    let mut contents = Contents::of_schema(schema, footer.version())?;
    let block = |block| block_of(block, trailer);
    contents.dictionaries = footer.dictionaries().into_iter().flatten().map(block).collect::<Result<_, _>>()?;
    contents.batches = footer.recordBatches().into_iter().flatten().map(block).collect::<Result<_, _>>()?;
    Ok(contents)
}

impl Contents {
    /// Reads the schema of a file whose messages are not yet found.
    fn of_schema(schema: arrow_ipc::Schema<'_>, version: MetadataVersion) -> Result<Self, Corrupt> {
        if version < MetadataVersion::V4 {
            return Err(Corrupt("it is of a version of Arrow before 0.8; write it anew".to_owned()));
        }
        if schema.endianness() != Endianness::Little {
            return Err(Corrupt(
                "its numbers have the most significant byte first; write it on another machine".to_owned(),
            ));
        }
        let ids: Vec<Option<i64>> =
            schema.fields().into_iter().flatten().map(|field| Some(field.dictionary()?.id())).collect();
        let schema = guarded(|| fb_to_schema(schema)).ok_or_else(|| Corrupt("its schema is invalid".to_owned()))?;
        let text = schema.fields().iter().zip(ids).filter_map(|(field, id)| match field.data_type() {
            DataType::Dictionary(_, values) if is_text(values) => id,
            _ => None,
        });
        let text_dictionaries = text.collect();
        Ok(Self { schema: Arc::new(schema), text_dictionaries, dictionaries: Vec::new(), batches: Vec::new() })
    }
}

/// Finds the messages of a stream: its schema, then its batches, one after the other ("IPC Streaming Format").
fn contents_of_stream(file: &mut Positioned) -> Result<Contents, Corrupt> {
    let length = file.length();
    let mut contents: Option<Contents> = None;
    let mut offset = 0;
    // Without the message of length 0 that says the end, rows may be missing.
    loop {
        if offset + 8 > length {
            return Err(Corrupt(format!("its stream is cut short: its end is not marked after {length} bytes")));
        }
        let prefix = file.read(offset, 8)?;
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
        let bytes = read(file, offset + 8, size)?;
        let message = message_in(&bytes)?;
        let body = u64::try_from(message.bodyLength()).map_err(|_| negative("the length of a batch"))?;
        let block = Block { offset, header: 8 + size, body };
        let next = offset.checked_add(block.header).and_then(|end| end.checked_add(body));
        let next = next
            .filter(|next| *next <= length)
            .ok_or_else(|| Corrupt(format!("a batch of {body} bytes at {offset} reaches beyond its end")))?;
        match (message.header_type(), &mut contents) {
            (MessageHeader::Schema, contents @ None) => {
                let schema = message.header_as_schema().ok_or_else(|| Corrupt("its schema is none".to_owned()))?;
                *contents = Some(Contents::of_schema(schema, message.version())?);
            }
            (MessageHeader::DictionaryBatch, Some(contents)) => contents.dictionaries.push(block),
            (MessageHeader::RecordBatch, Some(contents)) => contents.batches.push(block),
            _ => return Err(Corrupt(format!("a message of its stream at byte {offset} is in no place for it"))),
        }
        offset = next;
    }
    contents.ok_or_else(|| Corrupt("its stream has no schema".to_owned()))
}

/// Checks that a block of the footer lies within the file.
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

fn read(file: &mut Positioned, offset: u64, length: u64) -> Result<Vec<u8>, Corrupt> {
    let length = usize::try_from(length).map_err(|_| Corrupt("a header is larger than any memory".to_owned()))?;
    file.read(offset, length)
}

/// Reads the bytes of the message of a block.
pub(super) fn read_message(file: &mut Positioned, block: Block) -> Result<Vec<u8>, Corrupt> {
    let mut bytes = read(file, block.offset, block.header)?;
    let prefix = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
    if bytes.len() < prefix {
        return Err(Corrupt("the header of a batch is cut short".to_owned()));
    }
    Ok(bytes.split_off(prefix))
}

/// Verifies the bytes of a message.
pub(super) fn message_in(bytes: &[u8]) -> Result<Message<'_>, Corrupt> {
    root_as_message(bytes).map_err(|error| Corrupt(format!("the header of a batch is invalid: {error}")))
}

/// Returns the batch of a message, rows or the values of a dictionary, whose lengths and offsets can be true.
pub(super) fn batch_of<'m>(message: &Message<'m>, body: u64) -> Result<RecordBatch<'m>, Corrupt> {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|values| values.data()),
        _ => None,
    };
    let batch = batch.ok_or_else(|| Corrupt("one of its batches is none".to_owned()))?;
    rows_of(&batch)?;
    for node in batch.nodes().into_iter().flatten() {
        if node.length() < 0 || node.null_count() < 0 || node.null_count() > node.length() {
            let (nulls, length) = (node.null_count(), node.length());
            return Err(Corrupt(format!("a column of {length} values claims to lack {nulls}")));
        }
    }
    let mut sum = 0_u64;
    let mut buffers = 0;
    for buffer in batch.buffers().into_iter().flatten() {
        let whole = |value: i64| u64::try_from(value).map_err(|_| negative("the place of a buffer"));
        let (offset, length) = (whole(buffer.offset())?, whole(buffer.length())?);
        if offset.checked_add(length).is_none_or(|end| end > body) {
            return Err(Corrupt(format!("a buffer of {length} bytes at {offset} reaches beyond its batch")));
        }
        sum = sum.saturating_add(length);
        buffers += 1;
    }
    // Buffers that overlap could be read a million times.
    if sum > body {
        return Err(Corrupt(format!("its buffers of {sum} bytes overlap in a batch of {body}")));
    }
    if batch.variadicBufferCounts().into_iter().flatten().any(|count| !(0..=buffers).contains(&count)) {
        return Err(Corrupt("a column of text claims more buffers than its batch has".to_owned()));
    }
    match batch.compression() {
        Some(compression)
            if compression.method() != BodyCompressionMethod::BUFFER
                || ![CompressionType::LZ4_FRAME, CompressionType::ZSTD].contains(&compression.codec()) =>
        {
            Err(Corrupt("it is compressed in an unknown way; write it without compression".to_owned()))
        }
        _ => Ok(batch),
    }
}

/// Returns the number of rows of a batch.
pub(super) fn rows_of(batch: &RecordBatch<'_>) -> Result<usize, Corrupt> {
    usize::try_from(batch.length()).map_err(|_| negative("the number of rows of a batch"))
}
