//! JPEG pictures (ISO/IEC 10918-1), to the same levels as libjpeg-turbo.
//!
//! The standard leaves open how samples are computed from coefficients and how the halved planes of colour become whole
//! ones, and decoders differ there by several levels. Encoders were trained on what Pillow reads, which is libjpeg-turbo's
//! accurate integer transform and its triangle filter; both are integer arithmetic, so that levels are equal, not near.
//!
//! Read are pictures of 8 bits and of 1, 3 or 4 components, sequential or progressive, with Huffman codes. What lies behind
//! the end of the picture is left alone: cameras put films and further pictures there.

mod bits;
mod planes;
mod scan;
mod standard;

use std::sync::Arc;

use bits::{Bits, Code};
use scan::Scan;

/// Scans at most: of a progressive picture each goes over all of it, whatever its length in the file.
const MOST_SCANS: usize = 100;
/// Greatest sampling factor.
const MOST_SAMPLING: usize = 4;

/// Where the numbers of a block stand: the order in the file goes along diagonals.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// Why a picture is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The file ends before the picture does.
    Truncated,
    /// What is wrong, or what it needs that is not read.
    Damaged(&'static str),
}

type Result<T> = std::result::Result<T, Fault>;

/// A picture as its file describes it.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    /// What a camera says of the orientation, as a block of Exif.
    pub(super) exif: Option<Vec<u8>>,
    is_progressive: bool,
    colours: Colours,
    components: Vec<Component>,
}

/// What the components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colours {
    Grey,
    Rgb,
    /// Luminance and two differences.
    Ycc,
    Cmyk,
    /// CMYK whose first three are luminance and differences.
    Ycck,
}

/// One plane of a picture.
#[derive(Debug)]
struct Component {
    id: u8,
    /// How many of its samples there are for the least of any component, across and down.
    sampling: [usize; 2],
    /// Samples across and down.
    size: [usize; 2],
    /// Blocks across and down that hold these.
    blocks: [usize; 2],
    /// Blocks across and down that are stored: up to the end of the last unit of all components.
    stored: [usize; 2],
    table: usize,
    /// The quantisation table that stood there when its first scan began.
    steps: Option<Arc<[u16; 64]>>,
    /// 64 for each block stored.
    coefficients: Vec<i16>,
}

/// What is read before a scan and holds for it.
#[derive(Debug, Default)]
struct Tables {
    steps: [Option<Arc<[u16; 64]>>; 4],
    /// Of the mean of a block, and of the other coefficients.
    codes: [[Option<Arc<Code>>; 4]; 2],
    /// Units between two restarts; 0 where there are none.
    restart: usize,
}

/// What is known of the picture before its components.
#[derive(Debug, Default)]
struct Marks {
    exif: Option<Vec<u8>>,
    is_jfif: bool,
    adobe: Option<u8>,
}

/// Reads the coefficients of a picture. `check` is asked about its sides before anything of their size is stored.
pub(super) fn read<E>(
    bytes: &[u8],
    fault: impl Fn(Fault) -> E,
    check: impl Fn(usize, usize) -> std::result::Result<(), E>,
) -> std::result::Result<Frame, E> {
    let mut reader = Reader { bytes, ..Reader::default() };
    loop {
        match reader.step().map_err(&fault)? {
            Step::More => {}
            Step::Frame => {
                if let Some(frame) = &mut reader.frame {
                    check(frame.width, frame.height)?;
                    frame.lay_out();
                }
            }
            Step::End => return reader.end().map_err(fault),
        }
    }
}

/// What a step came upon.
enum Step {
    More,
    Frame,
    End,
}

/// A file that is being read.
#[derive(Debug, Default)]
struct Reader<'bytes> {
    bytes: &'bytes [u8],
    place: usize,
    tables: Tables,
    marks: Marks,
    frame: Option<Frame>,
    scans: usize,
}

impl Reader<'_> {
    /// Reads up to the end of the next segment, or of the scan behind it.
    fn step(&mut self) -> Result<Step> {
        let marker = marker_at(self.bytes, &mut self.place)?;
        match marker {
            // Nothing, and markers without a segment: TEM, the restarts and the start of the picture.
            0 | 0x01 | 0xD0..=0xD8 => return Ok(Step::More),
            0xD9 => return Ok(Step::End),
            _ => {}
        }
        let segment = segment(self.bytes, &mut self.place)?;
        match marker {
            0xC0..=0xC2 if self.frame.is_none() => {
                self.frame = Some(Frame::of_segment(segment, &self.marks, marker == 0xC2)?);
                return Ok(Step::Frame);
            }
            0xC0..=0xC2 => return Err(Fault::Damaged("it has two frames")),
            0xC4 => self.tables.read_codes(segment)?,
            0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return Err(Fault::Damaged("it is lossless, hierarchical or arithmetically coded"));
            }
            0xDB => self.tables.read_steps(segment)?,
            0xDD => self.tables.restart = usize::from(number(segment, 0)?),
            0xDA => {
                self.scans += 1;
                if self.scans > MOST_SCANS {
                    return Err(Fault::Damaged("it has more than 100 scans"));
                }
                let frame = self.frame.as_mut().ok_or(Fault::Damaged("a scan precedes the frame"))?;
                let mut bits = Bits::new(self.bytes, self.place);
                Scan::of_segment(segment, frame, &self.tables)?.read(frame, &mut bits)?;
                self.place = bits.end();
            }
            _ => self.marks.read(marker, segment),
        }
        Ok(Step::More)
    }

    fn end(self) -> Result<Frame> {
        let mut frame = self.frame.ok_or(Fault::Damaged("it has no frame"))?;
        if frame.components.iter().any(|component| component.steps.is_none()) {
            return Err(Fault::Damaged("a component has no scan"));
        }
        frame.exif = self.marks.exif;
        Ok(frame)
    }
}

/// The next marker from a place on, which is moved behind it. Any number of bytes 0xFF may precede one, and decoders pass
/// over what stands between segments.
fn marker_at(bytes: &[u8], place: &mut usize) -> Result<u8> {
    let rest = bytes.get(*place..).ok_or(Fault::Truncated)?;
    let first = rest.iter().position(|byte| *byte == 0xFF).ok_or(Fault::Truncated)?;
    let marker = rest[first..].iter().position(|byte| *byte != 0xFF).ok_or(Fault::Truncated)? + first;
    *place += marker + 1;
    Ok(rest[marker])
}

/// What is in the segment that begins with its length at a place, which is moved behind it.
fn segment<'bytes>(bytes: &'bytes [u8], place: &mut usize) -> Result<&'bytes [u8]> {
    let rest = bytes.get(*place..).ok_or(Fault::Truncated)?;
    let length = usize::from(number(rest, 0).map_err(|_| Fault::Truncated)?);
    let segment = rest.get(..length).ok_or(Fault::Truncated)?;
    *place += length;
    segment.get(2..).ok_or(Fault::Damaged("a segment is shorter than its length"))
}

fn byte(segment: &[u8], at: usize) -> Result<u8> {
    segment.get(at).copied().ok_or(Fault::Damaged("a segment is too short"))
}

fn number(segment: &[u8], at: usize) -> Result<u16> {
    Ok(u16::from_be_bytes([byte(segment, at)?, byte(segment, at + 1)?]))
}

impl Marks {
    fn read(&mut self, marker: u8, segment: &[u8]) {
        match marker {
            0xE0 if segment.starts_with(b"JFIF\0") => self.is_jfif = true,
            0xE1 if self.exif.is_none() => self.exif = segment.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec),
            0xEE if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).copied().or(self.adobe),
            _ => {}
        }
    }
}

impl Tables {
    fn read_steps(&mut self, mut segment: &[u8]) -> Result<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let wide = usize::from(kind >> 4);
            let place = self.steps.get_mut(usize::from(kind & 15)).filter(|_| wide < 2);
            let place = place.ok_or(Fault::Damaged("a quantisation table is of no kind"))?;
            let mut steps = [0; 64];
            for (index, at) in ZIGZAG.into_iter().enumerate() {
                steps[usize::from(at)] =
                    if wide == 1 { number(rest, 2 * index)? } else { u16::from(byte(rest, index)?) };
            }
            *place = Some(Arc::new(steps));
            segment = &rest[64 << wide..];
        }
        Ok(())
    }

    fn read_codes(&mut self, mut segment: &[u8]) -> Result<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let place =
                self.codes.get_mut(usize::from(kind >> 4)).and_then(|codes| codes.get_mut(usize::from(kind & 15)));
            let place = place.ok_or(Fault::Damaged("a Huffman table is of no kind"))?;
            let counts = rest.first_chunk::<16>().ok_or(Fault::Damaged("a Huffman table is too short"))?;
            let total = counts.iter().map(|count| usize::from(*count)).sum::<usize>();
            let symbols = rest.get(16..16 + total).ok_or(Fault::Damaged("a Huffman table is too short"))?;
            *place = Some(Arc::new(Code::new(counts, symbols)?));
            segment = &rest[16 + total..];
        }
        Ok(())
    }
}

impl Frame {
    fn of_segment(segment: &[u8], marks: &Marks, is_progressive: bool) -> Result<Self> {
        if byte(segment, 0)? != 8 {
            return Err(Fault::Damaged("its samples are not of 8 bits"));
        }
        let [height, width] = [usize::from(number(segment, 1)?), usize::from(number(segment, 3)?)];
        let mut components = Vec::new();
        for index in 0..usize::from(byte(segment, 5)?) {
            let [id, factors, table] = [0, 1, 2].map(|field| byte(segment, 6 + 3 * index + field));
            let sampling = [usize::from(factors? >> 4), usize::from(factors? & 15)];
            if sampling.iter().any(|factor| !(1..=MOST_SAMPLING).contains(factor)) {
                return Err(Fault::Damaged("a sampling factor is not 1 to 4"));
            }
            components.push(Component {
                id: id?,
                sampling,
                size: [0; 2],
                blocks: [0; 2],
                stored: [0; 2],
                table: usize::from(table?),
                steps: None,
                coefficients: Vec::new(),
            });
        }
        let ids: Vec<u8> = components.iter().map(|component| component.id).collect();
        // As libjpeg guesses it.
        let colours = match (components.len(), marks.adobe) {
            (1, _) => Colours::Grey,
            (3, _) if marks.is_jfif => Colours::Ycc,
            (3, Some(0)) => Colours::Rgb,
            (3, None) if ids == *b"RGB" => Colours::Rgb,
            (3, _) => Colours::Ycc,
            (4, None | Some(0)) => Colours::Cmyk,
            (4, Some(_)) => Colours::Ycck,
            _ => return Err(Fault::Damaged("it does not have 1, 3 or 4 components")),
        };
        let frame = Self { width, height, exif: None, is_progressive, colours, components };
        let most = frame.most_sampling();
        let divides = |component: &Component| (0..2).all(|axis| most[axis].is_multiple_of(component.sampling[axis]));
        if frame.components.iter().all(divides) {
            Ok(frame)
        } else {
            Err(Fault::Damaged("the samples of a component are no whole multiple of another's"))
        }
    }

    /// The greatest sampling factors, across and down.
    fn most_sampling(&self) -> [usize; 2] {
        let most = |axis: usize| self.components.iter().map(|component| component.sampling[axis]).max();
        [most(0).unwrap_or(1), most(1).unwrap_or(1)]
    }

    /// Units of all components, across and down.
    fn units(&self) -> [usize; 2] {
        let most = self.most_sampling();
        [self.width.div_ceil(8 * most[0]), self.height.div_ceil(8 * most[1])]
    }

    /// Says how large every component is, and makes room for it.
    fn lay_out(&mut self) {
        let (most, units, sides) = (self.most_sampling(), self.units(), [self.width, self.height]);
        for component in &mut self.components {
            let sampling = component.sampling;
            component.size = [0, 1].map(|axis| (sides[axis] * sampling[axis]).div_ceil(most[axis]));
            component.blocks = component.size.map(|samples| samples.div_ceil(8));
            component.stored = [0, 1].map(|axis| units[axis] * sampling[axis]);
            component.coefficients = vec![0; component.stored[0] * component.stored[1] * 64];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey picture of 8 x 8 equal levels: a segment with an end marker in it, one scan and what a camera put behind.
    fn picture() -> Vec<u8> {
        let steps = [&[0xFF, 0xDB, 0, 67, 0][..], &[8; 64]].concat();
        // One code of one bit for each table: a difference of 4 bits for the mean, and the end of the block.
        let code = |kind: u8, symbol: u8| [&[0xFF, 0xC4, 0, 20, kind, 1][..], &[0; 15], &[symbol]].concat();
        let frame = [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
        let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
        // 0, then 1010 for 10, then 0, then ones.
        let data = [0b0101_0011, 0xFF, 0xD9];
        let start = [0xFF, 0xD8, 0xFF, 0xE1, 0, 5, 0xFF, 0xD9, 0];
        [&start[..], &steps, &code(0, 4), &code(0x10, 0), &frame, &scan, &data].concat()
    }

    fn levels(bytes: &[u8]) -> Result<Vec<u8>> {
        read(bytes, |fault| fault, |_, _| Ok(())).map(Frame::levels)
    }

    #[test]
    fn the_end_is_found_wherever_else_its_marker_stands() {
        let picture = picture();
        assert_eq!(levels(&picture), Ok(vec![138; 8 * 8 * 3]));
        let with_film = [&picture[..], &[0, 0, 0, 24], b"ftypmp42", &[0xFF, 0xDA, 0xFF, 0xD9, 1]].concat();
        assert_eq!(levels(&with_film), levels(&picture));
        for length in 0..picture.len() {
            assert_eq!(levels(&picture[..length]), Err(Fault::Truncated), "{length}");
        }
    }

    #[test]
    fn what_is_not_read_is_said() {
        let with = |at: &[u8], place: usize, value: u8| {
            let mut bytes = picture();
            let start = bytes.windows(at.len()).position(|window| window == at).unwrap();
            bytes[start + place] = value;
            levels(&bytes).unwrap_err()
        };
        let frame = [0xFF, 0xC0];
        for (place, value) in [(1, 0xC9), (1, 0xC3), (4, 12), (9, 2), (11, 0), (11, 0x15), (12, 3)] {
            assert!(matches!(with(&frame, place, value), Fault::Damaged(_)), "{place}");
        }
        // A scan of another component, with a table that there is not, of a part of the block, and without bits.
        for (place, value) in [(5, 2), (6, 0x10), (8, 5), (9, 1), (10, 0xFF)] {
            assert!(levels(&picture()).is_ok());
            let error = with(&[0xFF, 0xDA, 0, 8], place, value);
            assert!(matches!(error, Fault::Damaged(_)), "{place}: {error:?}");
        }
    }
}
