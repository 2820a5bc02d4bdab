//! The header of a `.npy` array: element type, order and shape, written as a Python dictionary.
//!
//! `NumPy`'s format description (NEP 1) fixes the three keys, so the header is parsed for exactly these. A parser of
//! Python literals in general would recurse as deeply as a hostile header is nested.

use std::borrow::Cow;
use std::io::Read;

use crate::features::array::{Array, Corrupt, Element, Kind, Outline, Unusable, Values, element_count};

/// The first bytes of every `.npy` file.
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// A longer header describes nothing that could be features (`NumPy` itself stops at 10,000 characters).
const LARGEST_HEADER: usize = 1 << 16;

/// A parsed header.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    item: Item,
    fortran_order: bool,
    shape: Vec<usize>,
    /// The length of the header itself.
    length: usize,
}

/// The elements of an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Number {
        element: Element,
        big_endian: bool,
    },
    /// `<U12`: strings of this number of characters of four bytes, padded with zeros.
    Unicode {
        characters: usize,
        big_endian: bool,
    },
    /// `|S12`: strings of this number of bytes, padded with zeros.
    Bytes {
        width: usize,
    },
    /// Python objects, one pickle of all of them.
    Objects,
    Other(Unusable),
}

impl Item {
    /// Parses a type string: byte order, kind, size.
    pub(super) fn of(descr: &str) -> Self {
        item_type(descr)
    }
}

impl Header {
    /// Creates the header of an array that is described elsewhere.
    pub(super) fn of(item: Item, fortran_order: bool, shape: Vec<usize>) -> Self {
        Self { item, fortran_order, shape, length: 0 }
    }

    /// Counts the bytes of its elements. Returns `None` if they cannot be read.
    pub(super) fn bytes(&self) -> Result<Option<usize>, Corrupt> {
        let Some(size) = self.item_size() else { return Ok(None) };
        let bytes = element_count(&self.shape)?.checked_mul(size);
        Ok(Some(bytes.ok_or_else(|| Corrupt("the shape is larger than any memory".to_owned()))?))
    }

    /// Returns whether its elements are Python objects.
    pub(super) fn is_of_objects(&self) -> bool {
        self.item == Item::Objects
    }

    /// Reads the header, leaving the reader at the first element.
    pub(super) fn read(reader: &mut impl Read) -> Result<Self, Corrupt> {
        let [magic @ .., major, _minor] = take::<8>(reader)?;
        if magic != *MAGIC {
            return Err(Corrupt("it does not begin like a .npy array".to_owned()));
        }
        let (prefix, length) = match major {
            1 => (10, u32::from(u16::from_le_bytes(take(reader)?))),
            2 | 3 => (12, u32::from_le_bytes(take(reader)?)),
            version => return Err(Corrupt(format!(".npy version {version} is unknown"))),
        };
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= LARGEST_HEADER)
            .ok_or_else(|| Corrupt(format!("its header claims {length} bytes")))?;
        let mut text = vec![0; length];
        reader.read_exact(&mut text).map_err(|error| Corrupt(format!("its header is cut short: {error}")))?;
        let text = str::from_utf8(&text).map_err(|_| Corrupt("its header is not text".to_owned()))?;
        let mut parser = Parser { rest: text };
        let (item, fortran_order, shape) = parser
            .dictionary()
            .ok_or_else(|| Corrupt(format!("its header cannot be understood: {}", text.trim_end())))?;
        Ok(Self { item, fortran_order, shape, length: prefix + length })
    }

    /// Counts the bytes of elements that follow in a file of `file_size` bytes.
    ///
    /// # Errors
    /// If they are not exactly the rest of it.
    pub(super) fn data_length(&self, file_size: u64) -> Result<u64, Corrupt> {
        let Some(item_size) = self.item_size() else { return Ok(0) };
        let length = element_count(&self.shape)?.checked_mul(item_size);
        let whole = length.and_then(|length| length.checked_add(self.length));
        match (length, whole) {
            (Some(length), Some(whole)) if whole as u64 == file_size => Ok(length as u64),
            _ => Err(Corrupt(format!(
                "shape {:?} of {item_size} bytes each does not fit its {file_size} bytes",
                self.shape
            ))),
        }
    }

    /// Returns the bytes of one element. Returns `None` if elements cannot be read.
    pub(super) fn item_size(&self) -> Option<usize> {
        match &self.item {
            Item::Number { element, .. } => Some(element.size()),
            Item::Unicode { characters, .. } => Some(characters.saturating_mul(4)),
            Item::Bytes { width } => Some(*width),
            Item::Objects | Item::Other(_) => None,
        }
    }

    /// Describes the array.
    pub(super) fn outline(&self) -> Outline {
        let kind = match &self.item {
            Item::Number { element, .. } => Kind::Numbers(*element),
            Item::Unicode { .. } | Item::Bytes { .. } => Kind::Strings,
            Item::Objects => Kind::Other("pickled Python objects".into()),
            Item::Other(unusable) => Kind::Other(unusable.clone()),
        };
        Outline { shape: self.shape.clone(), kind }
    }

    /// Returns the length of the header itself.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Returns whether the elements of a column follow each other, not those of a row.
    pub(super) fn is_by_columns(&self) -> bool {
        self.fortran_order && self.shape.len() > 1
    }

    /// Returns the header of this number of rows.
    pub(super) fn of_rows(&self, rows: usize) -> Self {
        let mut header = self.clone();
        if let Some(first) = header.shape.first_mut() {
            *first = rows;
        }
        header
    }

    /// Builds the array from the bytes that [`data_length`](Self::data_length) announced.
    pub(super) fn array(self, bytes: Vec<u8>) -> Result<Array<'static>, Corrupt> {
        let strings = |values: Result<Vec<String>, Corrupt>, shape: Vec<usize>| {
            Ok(Array { shape, values: Values::Strings(values?) })
        };
        match self.item {
            Item::Number { element, big_endian } => {
                let arrange = if self.fortran_order { Array::fortran } else { Array::contiguous };
                Ok(arrange(self.shape, element, Cow::Owned(bytes))?.big_endian(big_endian))
            }
            // Labels and ids have one dimension, for which both orders are the same.
            Item::Unicode { characters, big_endian } => strings(unicode(&bytes, characters, big_endian), self.shape),
            Item::Bytes { width } => strings(utf8(&bytes, width), self.shape),
            Item::Objects => Ok(Array { shape: self.shape, values: Values::Other("pickled Python objects".into()) }),
            Item::Other(unusable) => Ok(Array { shape: self.shape, values: Values::Other(unusable) }),
        }
    }
}

fn take<const SIZE: usize>(reader: &mut impl Read) -> Result<[u8; SIZE], Corrupt> {
    let mut bytes = [0; SIZE];
    reader.read_exact(&mut bytes).map_err(|error| Corrupt(format!("its header is cut short: {error}")))?;
    Ok(bytes)
}

fn unicode(bytes: &[u8], characters: usize, big_endian: bool) -> Result<Vec<String>, Corrupt> {
    let decode = |row: usize, item: &[u8]| {
        let (codes, _) = item.as_chunks::<4>();
        let text: Option<String> = codes
            .iter()
            .map(|code| if big_endian { u32::from_be_bytes(*code) } else { u32::from_le_bytes(*code) })
            .map(char::from_u32)
            .collect();
        text.map(|text| text.trim_end_matches('\0').to_owned())
            .ok_or_else(|| Corrupt(format!("string {row} is not Unicode")))
    };
    let items = bytes.chunks_exact(characters * 4).enumerate();
    items.map(|(row, item)| decode(row, item)).collect()
}

fn utf8(bytes: &[u8], width: usize) -> Result<Vec<String>, Corrupt> {
    let items = bytes.chunks_exact(width).enumerate();
    items
        .map(|(row, item)| match str::from_utf8(item) {
            Ok(text) => Ok(text.trim_end_matches('\0').to_owned()),
            Err(_) => Err(Corrupt(format!("string {row} is not UTF-8"))),
        })
        .collect()
}

/// Walks along the header's text; `None` anywhere means that the text is not a header.
struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn dictionary(&mut self) -> Option<(Item, bool, Vec<usize>)> {
        let (mut item, mut fortran_order, mut shape) = (None, None, None);
        self.skip('{')?;
        while self.skip('}').is_none() {
            let key = self.string()?;
            self.skip(':')?;
            match key {
                "descr" => item = Some(item_type(self.string()?)),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.shape()?),
                _ => return None,
            }
            if self.skip(',').is_none() && !self.rest.starts_with('}') {
                return None;
            }
        }
        self.rest.trim().is_empty().then_some(())?;
        Some((item?, fortran_order?, shape?))
    }

    /// Steps over a mark and the blanks around it.
    fn skip(&mut self, mark: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(mark)?.trim_start();
        Some(())
    }

    fn string(&mut self) -> Option<&'t str> {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (text, rest) = self.rest[1..].split_once(quote)?;
        self.rest = rest.trim_start();
        Some(text)
    }

    fn boolean(&mut self) -> Option<bool> {
        for (text, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest.trim_start();
                return Some(value);
            }
        }
        None
    }

    fn shape(&mut self) -> Option<Vec<usize>> {
        let (inside, rest) = self.rest.strip_prefix('(')?.split_once(')')?;
        self.rest = rest.trim_start();
        let mut lengths: Vec<&str> = inside.split(',').map(str::trim).collect();
        if lengths.last().is_some_and(|last| last.is_empty()) {
            lengths.pop();
        }
        // Python 2 wrote long integers as `10L`.
        lengths.into_iter().map(|length| length.strip_suffix('L').unwrap_or(length).parse().ok()).collect()
    }
}

/// Interprets a type string: byte order, kind, size in bytes (for `U`, in characters).
fn item_type(descr: &str) -> Item {
    let other = || match descr.trim_start_matches(['<', '>', '|', '=']).chars().next() {
        Some('O') => Item::Objects,
        Some('c') => Item::Other(Unusable::with_mend(
            format!("complex numbers (`{descr}`)"),
            "numbers must be real: put both parts side by side, e.g. np.hstack([x.real, x.imag])",
        )),
        _ => Item::Other(format!("elements of type `{descr}`").into()),
    };
    let mut characters = descr.chars();
    let big_endian = match characters.next() {
        Some('>') => true,
        Some('<' | '|') => false,
        _ => return other(),
    };
    let (Some(kind), Ok(size)) = (characters.next(), characters.as_str().parse::<usize>()) else {
        return other();
    };
    let element = match (kind, size) {
        ('b', 1) => Element::Bool,
        ('u', 1) => Element::U8,
        ('u', 2) => Element::U16,
        ('u', 4) => Element::U32,
        ('u', 8) => Element::U64,
        ('i', 1) => Element::I8,
        ('i', 2) => Element::I16,
        ('i', 4) => Element::I32,
        ('i', 8) => Element::I64,
        ('f', 2) => Element::F16,
        ('f', 4) => Element::F32,
        ('f', 8) => Element::F64,
        // Strings of no length would let any number of them fit in nothing.
        ('U', characters @ 1..) => {
            return Item::Unicode { characters, big_endian };
        }
        ('S', width @ 1..) => return Item::Bytes { width },
        _ => return other(),
    };
    Item::Number { element, big_endian }
}

#[cfg(test)]
mod tests {
    use super::{Element, Header, Item};

    fn header(text: &str) -> Option<Header> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend(text.as_bytes());
        Header::read(&mut bytes.as_slice()).ok()
    }

    #[test]
    fn what_numpy_writes() {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1257, 32), }       \n";
        let found = header(text).unwrap();
        assert_eq!(found.shape, [1257, 32]);
        assert!(!found.fortran_order);
        assert_eq!(found.item, Item::Number { element: Element::F32, big_endian: false });
        assert_eq!(found.length, text.len() + 10);
        let data_length = 1257 * 32 * 4;
        let whole = text.len() as u64 + 10 + data_length;
        assert_eq!(found.data_length(whole).ok(), Some(data_length));
        assert!(found.data_length(whole - 1).is_err());
    }

    #[test]
    fn any_order_of_keys_and_old_spellings() {
        let found = header("{\"shape\":(7L,),\"fortran_order\":True,\"descr\":\">i8\"}").unwrap();
        assert_eq!((found.shape, found.fortran_order), (vec![7], true));
        assert!(header("{'descr': '|b1', 'fortran_order': False, 'shape': ()}").unwrap().shape.is_empty());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "{",
            "{}",
            "[]",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,,2)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
        ] {
            assert_eq!(header(text), None, "{text}");
        }
        let nested = format!("{{'shape': {}", "(".repeat(60_000));
        assert_eq!(header(&nested), None);
    }

    #[test]
    fn unusable_types_are_named() {
        for (descr, part) in [("<c16", "complex"), ("<M8[ns]", "<M8[ns]"), ("<f16", "<f16"), ("<U0", "<U0")] {
            let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,)}}");
            let Some(Header { item: Item::Other(name), .. }) = header(&text) else { panic!("{descr} was understood") };
            assert!(name.what.contains(part), "{name:?}");
        }
    }
}
