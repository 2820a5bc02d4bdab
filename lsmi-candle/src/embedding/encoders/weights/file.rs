//! A file of weights: its header is read and checked when it is opened, the numbers of a tensor when they are asked for.
//!
//! So a model and its file are never both in memory. The file is not mapped into memory either: one that changes while it
//! is read gives an error or other numbers, and nothing worse.

use std::fs::File as SystemFile;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use candle_core::{DType, Device, Tensor, WithDType};
use half::{bf16, f16};
use safetensors::SafeTensorError;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::embedding::encoders::error::{EncoderError, Result};

/// The longest header, in bytes, as safetensors limits it.
const LONGEST_HEADER: u64 = 100_000_000;
/// Bytes that are read and converted at a time, a multiple of the size of any number.
const PIECE: usize = 1 << 20;

/// A file of weights, open.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    content: Content,
    length: u64,
    /// Where the numbers begin.
    begin: u64,
}

#[derive(Debug)]
enum Content {
    Bytes(Vec<u8>),
    /// Reading moves the place in the file.
    File(Mutex<SystemFile>),
}

/// A tensor as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) dtype: DType,
    /// Its bytes, counted from where the numbers begin. The header was checked: they are those of its shape.
    pub(super) bytes: Range<usize>,
}

impl File {
    /// Opens a file and reads what it says of its tensors.
    ///
    /// # Errors
    /// [`EncoderError::Read`] and [`EncoderError::Format`], where the header is damaged or not of a file of this length.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<(String, TensorInfo)>)> {
        let name = path.display().to_string();
        let unreadable = |source| EncoderError::Read { file: name.clone(), source };
        let file = SystemFile::open(path).map_err(unreadable)?;
        let facts = file.metadata().map_err(unreadable)?;
        if facts.is_dir() {
            return Err(unreadable(ErrorKind::IsADirectory.into()));
        }
        Self::of_content(name.clone(), Content::File(Mutex::new(file)), facts.len())
    }

    /// Takes the content of a file that is in memory.
    ///
    /// # Errors
    /// As [`File::open`].
    pub(super) fn of_bytes(name: String, bytes: Vec<u8>) -> Result<(Self, Vec<(String, TensorInfo)>)> {
        let length = bytes.len() as u64;
        Self::of_content(name, Content::Bytes(bytes), length)
    }

    fn of_content(name: String, content: Content, length: u64) -> Result<(Self, Vec<(String, TensorInfo)>)> {
        let mut file = Self { name, content, length, begin: 0 };
        let tensors = file.header()?;
        Ok((file, tensors))
    }

    /// Reads the header and compares it with the length of the file.
    fn header(&mut self) -> Result<Vec<(String, TensorInfo)>> {
        let format = |source| EncoderError::Format { file: self.name.clone(), source };
        let unreadable = |source: io::Error| match source.kind() {
            // It is shorter than it was a moment ago.
            ErrorKind::UnexpectedEof => format(SafeTensorError::InvalidHeaderLength),
            _ => EncoderError::Read { file: self.name.clone(), source },
        };
        let mut size = [0; size_of::<u64>()];
        let before = size.len() as u64;
        if self.length < before {
            return Err(format(SafeTensorError::HeaderTooSmall));
        }
        self.read_at(0, &mut size).map_err(unreadable)?;
        let size = u64::from_le_bytes(size);
        if size > LONGEST_HEADER {
            return Err(format(SafeTensorError::HeaderTooLarge));
        }
        let begin = before + size;
        if begin > self.length {
            return Err(format(SafeTensorError::InvalidHeaderLength));
        }
        let mut header = vec![0; usize::try_from(size).map_err(|_| format(SafeTensorError::HeaderTooLarge))?];
        self.read_at(before, &mut header).map_err(unreadable)?;
        let header = str::from_utf8(&header).map_err(|error| format(SafeTensorError::InvalidHeader(error)))?;
        // This checks that the tensors follow each other and are of the sizes that their shapes say.
        let metadata: Metadata = serde_json::from_str(header)
            .map_err(|error| format(SafeTensorError::InvalidHeaderDeserialization(error)))?;
        let tensors: Vec<(String, TensorInfo)> =
            metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        let end = tensors.iter().map(|(_, info)| info.data_offsets.1 as u64).max().unwrap_or(0);
        if begin.checked_add(end) != Some(self.length) {
            return Err(format(SafeTensorError::MetadataIncompleteBuffer));
        }
        self.begin = begin;
        Ok(tensors)
    }

    /// Reads a tensor, which is of this shape, and converts it to `dtype` piece by piece.
    ///
    /// # Errors
    /// [`EncoderError::ReadTensor`] where its bytes cannot be read, as they are not there any more.
    pub(super) fn tensor(
        &self,
        name: &str,
        stored: &Stored,
        shape: &[usize],
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        match dtype {
            DType::F16 => self.converted::<f16>(name, stored, shape, device),
            DType::BF16 => self.converted::<bf16>(name, stored, shape, device),
            DType::F64 => self.converted::<f64>(name, stored, shape, device),
            DType::F32 => self.converted::<f32>(name, stored, shape, device),
            // Of these there are no models; they are made as they always can be.
            other => Ok(self.converted::<f32>(name, stored, shape, device)?.to_dtype(other)?),
        }
    }

    fn converted<T: WithDType>(&self, name: &str, stored: &Stored, shape: &[usize], device: &Device) -> Result<Tensor> {
        let unreadable = |source| EncoderError::ReadTensor { file: self.name.clone(), tensor: name.to_owned(), source };
        let size = stored.dtype.size_in_bytes();
        // The file is so long, so this makes room for nothing that is not there.
        let mut values: Vec<T> = Vec::with_capacity(stored.bytes.len() / size);
        let mut piece = vec![0; PIECE.min(stored.bytes.len())];
        for start in stored.bytes.clone().step_by(PIECE) {
            let piece = &mut piece[..PIECE.min(stored.bytes.end - start)];
            self.read_at(self.begin + start as u64, piece).map_err(unreadable)?;
            // On the host, as some devices have no f64.
            let of_piece = Tensor::from_raw_buffer(piece, stored.dtype, &[piece.len() / size], &Device::Cpu)?;
            values.extend(of_piece.to_dtype(T::DTYPE)?.to_vec1::<T>()?);
        }
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// Fills a buffer with the bytes from a place on.
    fn read_at(&self, start: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.content {
            Content::Bytes(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let found = start.checked_add(buffer.len()).and_then(|end| bytes.get(start..end));
                buffer.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Content::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(buffer)
            }
        }
    }
}
