//! `.npz`: a zip archive of one `.npy` array a member. Stored members are read from their places, deflated ones unpacked from their beginning on.
//!
//! A deflated member can only be unpacked in order: rows that do not follow the last ones are reached by unpacking, and
//! dropping, all that lies before them. Checksums are compared when all of a member was read in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::ops::Range;

use crc32fast::Hasher;
use flate2::CrcReader;
use flate2::bufread::DeflateDecoder;

use super::archive::{Archive, Place};
use super::input::{Input, Positioned, ReadSeek};
use super::npy::{stored_rows, unpickled};
use super::npy_header::Header;
use super::{Container, Opened};
use crate::features::array::{Array, Corrupt, Outline};

/// The end that `NumPy` adds to the name of an array.
const SUFFIX: &str = ".npy";

const FORTRAN: &str = "its columns are stored one after the other (Fortran order) and packed; save np.ascontiguousarray(x), or with np.savez";

struct Npz {
    input: Input,
    file: Positioned,
    archive: Archive<BufReader<Box<dyn ReadSeek>>>,
    names: BTreeSet<String>,
    /// Arrays of Python objects, which were read at once.
    objects: BTreeMap<String, Array<'static>>,
    members: BTreeMap<String, Member>,
}

/// An array whose header was read.
struct Member {
    place: Place,
    header: Header,
    data_length: u64,
    unpacking: Option<Unpacking>,
    /// Of a stored member, the checksum of what was read of it in order from its beginning.
    checked: Checked,
}

/// A checksum of the elements up to some position.
#[derive(Default)]
struct Checked {
    checksum: Hasher,
    position: u64,
}

/// The bytes of a member in the archive.
type Packed = BufReader<Take<Box<dyn ReadSeek>>>;

/// A deflated member, unpacked up to some place.
struct Unpacking {
    decoder: CrcReader<DeflateDecoder<Packed>>,
    /// The number of bytes of elements that were unpacked.
    position: u64,
}

pub(super) fn open(input: &Input) -> Opened {
    let file = Positioned::open(input)?;
    let mut archive = Archive::open(input.buffered()?, file.length())?;
    let (names, objects) = arrays_of(&mut archive)?;
    Ok(Box::new(Npz { input: input.clone(), file, archive, names, objects, members: BTreeMap::new() }))
}

/// Lists the names of all arrays and reads those of Python objects, which are read at once.
fn arrays_of<R: Read + Seek>(
    archive: &mut Archive<R>,
) -> Result<(BTreeSet<String>, BTreeMap<String, Array<'static>>), Corrupt> {
    let members = archive.names()?;
    let (mut names, mut objects) = (BTreeSet::new(), BTreeMap::new());
    for name in members.iter().filter_map(|member| member.strip_suffix(SUFFIX)) {
        let member = format!("{name}{SUFFIX}");
        // What is wrong with a header is told when its array is asked for.
        let header = archive.member(&member).and_then(|mut member| Header::read(&mut member));
        match header {
            Ok(header) if header.is_of_objects() => objects.extend(unpickled(name, &header, &archive.read(&member)?)),
            _ => drop(names.insert(name.to_owned())),
        }
    }
    names.extend(objects.keys().cloned());
    Ok((names, objects))
}

impl Npz {
    /// Returns the member of an array, whose header is read when it is first asked for.
    fn member(&mut self, name: &str) -> Result<&mut Member, Corrupt> {
        if !self.members.contains_key(name) {
            let member_name = format!("{name}{SUFFIX}");
            let place = self.archive.place(&member_name)?;
            let header = Header::read(&mut self.archive.member(&member_name)?);
            let header = header.map_err(|corrupt| corrupt.inside(name))?;
            let data_length = header.data_length(place.size).map_err(|corrupt| corrupt.inside(name))?;
            let member = Member { place, header, data_length, unpacking: None, checked: Checked::default() };
            self.members.insert(name.to_owned(), member);
        }
        self.members.get_mut(name).ok_or_else(|| Corrupt(format!("`{name}` is not there")))
    }

    fn read_rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let input = self.input.clone();
        self.member(name)?;
        let Some(member) = self.members.get_mut(name) else { return Err(Corrupt("it is not there".to_owned())) };
        let header = member.header.of_rows(rows.len());
        let shape = header.outline().shape;
        let Some(item_size) = header.item_size() else { return header.array(Vec::new()) };
        let row_bytes = shape.iter().skip(1).product::<usize>() * item_size;
        let offset = (rows.start * row_bytes) as u64;
        let mut bytes = Vec::new();
        if member.place.is_deflated {
            member.unpack(&input, &mut bytes, offset, rows.len() * row_bytes)?;
        } else {
            let start = member.place.start + member.header.length() as u64;
            bytes = stored_rows(&mut self.file, start, &member.header, rows.clone())?;
            // Columns are only in the order of the file where all rows are read at once.
            if !header.is_by_columns() || rows.len() as u64 * row_bytes as u64 == member.data_length {
                member.check(&mut self.file, offset, &bytes)?;
            }
        }
        header.array(bytes)
    }
}

impl Member {
    /// Updates the checksum of a stored member, if these are the bytes that follow those seen.
    fn check(&mut self, file: &mut Positioned, offset: u64, bytes: &[u8]) -> Result<(), Corrupt> {
        if offset == 0 {
            self.checked = Checked::default();
            self.checked.checksum.update(&file.read(self.place.start, self.header.length())?);
        }
        if offset != self.checked.position || (offset == 0 && bytes.is_empty()) {
            return Ok(());
        }
        self.checked.checksum.update(bytes);
        self.checked.position += bytes.len() as u64;
        if self.checked.position == self.data_length && self.checked.checksum.clone().finalize() != self.place.checksum
        {
            return Err(Corrupt("its checksum is wrong".to_owned()));
        }
        Ok(())
    }

    /// Appends `length` bytes of elements from `offset` on.
    fn unpack(&mut self, input: &Input, bytes: &mut Vec<u8>, offset: u64, length: usize) -> Result<(), Corrupt> {
        let unreadable = |error: io::Error| Corrupt(format!("it cannot be unpacked: {error}"));
        if self.unpacking.as_ref().is_none_or(|unpacking| unpacking.position > offset) {
            self.unpacking =
                Some(Unpacking::start(input, &self.place, self.header.length() as u64).map_err(unreadable)?);
        }
        let Some(unpacking) = &mut self.unpacking else { return Ok(()) };
        let skipped = offset - unpacking.position;
        let dropped = io::copy(&mut (&mut unpacking.decoder).take(skipped), &mut io::sink()).map_err(unreadable)?;
        let read = (&mut unpacking.decoder).take(length as u64).read_to_end(bytes).map_err(unreadable)?;
        if dropped != skipped || read != length {
            return Err(Corrupt(format!("it unpacks to fewer than the {} bytes announced", self.data_length)));
        }
        unpacking.position = offset + length as u64;
        if unpacking.position == self.data_length {
            if unpacking.decoder.read(&mut [0]).map_err(unreadable)? > 0 {
                return Err(Corrupt(format!("it unpacks to more than the {} bytes announced", self.data_length)));
            }
            if unpacking.decoder.crc().sum() != self.place.checksum {
                return Err(Corrupt("its checksum is wrong".to_owned()));
            }
        }
        Ok(())
    }
}

impl Unpacking {
    fn start(input: &Input, place: &Place, header: u64) -> io::Result<Self> {
        let mut file = input.open()?;
        file.seek(SeekFrom::Start(place.start))?;
        let mut decoder = CrcReader::new(DeflateDecoder::new(BufReader::new(file.take(place.packed))));
        io::copy(&mut (&mut decoder).take(header), &mut io::sink())?;
        Ok(Self { decoder, position: 0 })
    }
}

impl Container for Npz {
    fn names(&self) -> BTreeSet<String> {
        self.names.clone()
    }

    fn outline(&mut self, name: &str) -> Result<Outline, Corrupt> {
        match self.objects.get(name) {
            Some(array) => Ok(array.outline()),
            None => Ok(self.member(name)?.header.outline()),
        }
    }

    fn rows(&mut self, name: &str, rows: Range<usize>) -> Result<Array<'static>, Corrupt> {
        let read = match self.objects.get(name) {
            Some(array) => array.rows(rows),
            None => self.read_rows(name, rows),
        };
        read.map_err(|corrupt| corrupt.inside(name))
    }

    fn obstacle(&mut self, name: &str) -> Option<&'static str> {
        if self.objects.contains_key(name) {
            return None;
        }
        let member = self.member(name).ok()?;
        (member.place.is_deflated && member.header.is_by_columns()).then_some(FORTRAN)
    }
}
