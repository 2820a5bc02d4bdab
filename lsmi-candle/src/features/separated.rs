//! Tables as text: what their columns are separated by, and how they begin.

use std::io::{self, Cursor, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};

/// What spreadsheets write first to say that a file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What columns are separated by where they are not by commas.
const OTHERS: [u8; 3] = [b';', b'\t', b'|'];

/// As much of a file as its first line may take.
const FIRST_LINE: u64 = 1 << 22;

/// The records of a table, the header among them.
pub type Records = Reader<Box<dyn Read + Send>>;

/// Reads the records of a table of text, the first line as one of them.
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

/// What the columns of a text are separated by, from its first line.
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
