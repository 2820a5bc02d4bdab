//! Tables of text: values separated by commas, semicolons, tabs or bars, the names of the columns in the first line.

use std::io::{self, Cursor, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};
use thiserror::Error;

/// The mark by which spreadsheets say that a file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Separators other than the comma.
const OTHERS: [u8; 3] = [b';', b'\t', b'|'];

/// The longest first line, in bytes.
const FIRST_LINE: u64 = 1 << 22;

/// A table of text: the names of its columns, and its rows one after the other.
///
/// A byte order mark and blanks around the names do not count.
///
/// ```
/// use lsmi_candle::features::TextTable;
///
/// let mut table = TextTable::open("\u{feff}x1 ; x2\n1;2\n".as_bytes())?;
/// assert_eq!(table.columns(), ["x1", "x2"]);
/// assert_eq!(table.position("x2")?, Some(1));
/// let mut row = csv::ByteRecord::new();
/// assert!(table.read(&mut row)?);
/// assert_eq!(&row[1], b"2");
/// assert!(!table.read(&mut row)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TextTable {
    columns: Vec<String>,
    records: Records,
}

/// Why a text is no table.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextTableError {
    /// The text could not be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// There is no first line.
    #[error("it is empty; its first line must name the columns")]
    Empty,
    /// The text is not UTF-8.
    #[error("it is UTF-16, or no text at all; save it as UTF-8")]
    NotText,
    /// The name of a column is not UTF-8.
    #[error("the name of column {place} is not UTF-8; save it as UTF-8")]
    Name {
        /// The place of the column, counted from 0.
        place: usize,
    },
    /// Two columns have one name.
    #[error("the columns {first} and {second} are both called `{name}`; rename one of them")]
    Repeated {
        /// The name.
        name: String,
        /// The place of the first column with it, counted from 0.
        first: usize,
        /// The place of the next.
        second: usize,
    },
    /// A line is no row of the table.
    #[error(transparent)]
    Row(csv::Error),
}

impl TextTable {
    /// Opens a table and reads the names of its columns.
    ///
    /// # Errors
    /// [`TextTableError`] if the text cannot be read, is empty or is not UTF-8.
    pub fn open(text: impl Read + Send + 'static) -> Result<Self, TextTableError> {
        let mut records = records_of(text).map_err(TextTableError::Read)?;
        let mut header = ByteRecord::new();
        if !records.read_byte_record(&mut header).map_err(failed)? {
            return Err(TextTableError::Empty);
        }
        let bytes = header.as_slice();
        // Either the mark of UTF-16, or the half of a letter that is 0.
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
            return Err(TextTableError::NotText);
        }
        let name = |(place, name)| match str::from_utf8(name) {
            Ok(name) => Ok(name.trim().to_owned()),
            Err(_) => Err(TextTableError::Name { place }),
        };
        let columns = header.iter().enumerate().map(name).collect::<Result<_, _>>()?;
        Ok(Self { columns, records })
    }

    /// Returns the names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the place of the column with this name. Returns `None` if there is none.
    ///
    /// # Errors
    /// [`TextTableError::Repeated`] if there are two.
    pub fn position(&self, name: &str) -> Result<Option<usize>, TextTableError> {
        let mut places = (0..self.columns.len()).filter(|place| self.columns[*place] == name);
        match (places.next(), places.next()) {
            (Some(first), Some(second)) => Err(TextTableError::Repeated { name: name.to_owned(), first, second }),
            (place, _) => Ok(place),
        }
    }

    /// Reads the next row. Returns `false` at the end of the table.
    ///
    /// # Errors
    /// [`TextTableError::Row`] if the line has another number of values than there are columns;
    /// [`TextTableError::Read`] if the text cannot be read.
    pub fn read(&mut self, row: &mut ByteRecord) -> Result<bool, TextTableError> {
        self.records.read_byte_record(row).map_err(failed)
    }
}

fn failed(error: csv::Error) -> TextTableError {
    if error.is_io_error() { TextTableError::Read(error.into()) } else { TextTableError::Row(error) }
}

/// The records of a table, the header among them.
pub type Records = Reader<Box<dyn Read + Send>>;

/// Opens the records of a table of text, the first line as one of them.
///
/// Columns are separated by commas, or by semicolons, tabs or bars where the first line has no commas outside of quotes. The
/// byte order mark of UTF-8 is passed over.
///
/// ```
/// let mut records = lsmi_candle::features::records_of("\u{feff}x1;x2\n1;2\n".as_bytes())?;
/// let mut record = csv::ByteRecord::new();
/// records.read_byte_record(&mut record)?;
/// assert_eq!((record.len(), &record[0]), (2, b"x1".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the text cannot be read.
pub fn records_of(mut text: impl Read + Send + 'static) -> io::Result<Records> {
    let mut start = Vec::new();
    // Most first lines are short, and all of them end within a few more bytes.
    let mut wanted = 1 << 16;
    loop {
        let read = text.by_ref().take(wanted).read_to_end(&mut start)?;
        let is_over = (read as u64) < wanted || start.len() as u64 >= FIRST_LINE;
        if is_over || start.contains(&b'\n') {
            break;
        }
        wanted = FIRST_LINE;
    }
    if start.starts_with(BYTE_ORDER_MARK) {
        start.drain(..BYTE_ORDER_MARK.len());
    }
    let separator = separator_of(&start);
    let text: Box<dyn Read + Send> = Box::new(Cursor::new(start).chain(text));
    Ok(ReaderBuilder::new().has_headers(false).delimiter(separator).from_reader(text))
}

/// Finds the separator of the columns by the first line.
fn separator_of(start: &[u8]) -> u8 {
    let mut first = ByteRecord::new();
    let read = ReaderBuilder::new().has_headers(false).from_reader(start).read_byte_record(&mut first);
    let is_one_column = read.is_ok() && first.len() == 1;
    let columns = |separator: &u8| first.as_slice().split(|byte| byte == separator).count();
    let most = OTHERS.into_iter().filter(|separator| columns(separator) > 1).max_by_key(columns);
    most.filter(|_| is_one_column).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::separator_of;

    #[test]
    fn the_first_line_tells_the_separator() {
        for (start, expected) in [
            ("x1,x2\n1;2,3\n", b','),
            ("a;b,x2\n", b','),
            ("x1;x2;y\n1,5;2,5;a\n", b';'),
            ("x1\tx2\n", b'\t'),
            ("x1|x2\n", b'|'),
            ("x1\n1\n", b','),
            ("", b','),
            ("\"x1;x2\",y\n", b','),
        ] {
            assert_eq!(separator_of(start.as_bytes()), expected, "{start}");
        }
    }
}
