//! How DeBERTa tells distances apart: the nearest have vectors of their own, farther ones share those of a range that grows with
//! the distance.

use std::ops::Range;

use candle_core::{Device, Tensor};

use crate::embedding::encoders::layers::pairs;
use crate::embedding::encoders::{Config, Result};

/// Of longer texts the pairs of positions are not laid out all at once.
const MOST_WHOLE: usize = 1 << 12;

/// How distances are told apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Half the number of vectors of distances.
    pub(super) half: usize,
    /// The number of those whose distances grow by more than one, where some do, and the greatest of these.
    logarithmic: Option<(usize, usize)>,
}

impl Span {
    /// Reads it, where the network tells distances apart.
    pub(super) fn read(config: &Config) -> Result<Self> {
        // -1 stands for the number of positions, and for none.
        let number = |name: &str| match config.expect(name, &(-1).into()) {
            Ok(()) => Ok(None),
            Err(_) => config.count(&[name], None).map(Some),
        };
        let positions = config.count(&["max_position_embeddings"], 512)?;
        let greatest = number("max_relative_positions")?.unwrap_or(positions);
        match number("position_buckets")? {
            None => Ok(Self { half: greatest, logarithmic: None }),
            Some(1) => Err(config.wrong("position_buckets", "at least 2, or -1", Some(&1.into()))),
            Some(buckets) => Ok(Self { half: buckets, logarithmic: Some((buckets, greatest)) }),
        }
    }

    /// The row of the table of distances for a position that looks at another one.
    fn row(self, from: usize, to: usize) -> usize {
        let distance = from.abs_diff(to);
        let bucket = self.logarithmic.map_or(distance, |(buckets, greatest)| bucket(distance, buckets / 2, greatest));
        if from >= to {
            self.half.saturating_add(bucket).min(2 * self.half - 1)
        } else {
            self.half.saturating_sub(bucket)
        }
    }
}

/// The class of a distance: up to `exact` of its own, then growing with its logarithm.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is below 0 counts as 0")]
fn bucket(distance: usize, exact: usize, greatest: usize) -> usize {
    if distance <= exact {
        return distance;
    }
    // In f32 and in this order, as the models were trained: a number just above a whole one is rounded up.
    let logarithm = |of: usize| (of as f32 / exact as f32).ln();
    let share = logarithm(distance) / logarithm(greatest - 1) * (exact - 1) as f32;
    exact.saturating_add(share.ceil() as usize)
}

/// Which row of the table of distances belongs to which pair of positions, for texts of a length.
pub(super) struct Rows<'device> {
    span: Span,
    length: usize,
    /// Of all pairs, where these are not too many.
    whole: Option<[Tensor; 2]>,
    device: &'device Device,
}

impl<'device> Rows<'device> {
    /// Lays them out for texts of a length.
    pub(super) fn new(span: Span, length: usize, device: &'device Device) -> Result<Self> {
        let mut rows = Self { span, length, whole: None, device };
        if length <= MOST_WHOLE {
            rows.whole = Some([rows.by_query(0..length)?, rows.by_key(0..length)?]);
        }
        Ok(rows)
    }

    /// The places in the scores of some queries with all rows of the table.
    pub(super) fn by_query(&self, range: Range<usize>) -> Result<Tensor> {
        let first = range.start;
        self.of(0, range, |from, _| from - first)
    }

    /// The places in the scores of all keys with all rows of the table.
    pub(super) fn by_key(&self, range: Range<usize>) -> Result<Tensor> {
        self.of(1, range, |_, to| to)
    }

    fn of(&self, way: usize, range: Range<usize>, content: impl Fn(usize, usize) -> usize) -> Result<Tensor> {
        if let Some(whole) = self.whole.as_ref().filter(|_| range.len() == self.length) {
            return Ok(whole[way].clone());
        }
        let place = |from, to| content(from, to) * 2 * self.span.half + self.span.row(from, to);
        pairs(range, self.length, place, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distances at which the last ten classes below 700 begin, and the sum of the classes of all, as the library of the
    /// models has them.
    #[test]
    fn classes_begin_where_they_should() {
        let begins = |buckets: usize, greatest| {
            let all: Vec<usize> = (0..700).map(|distance| bucket(distance, buckets / 2, greatest)).collect();
            let begins: Vec<usize> = (1..700).filter(|&distance| all[distance] != all[distance - 1]).collect();
            (all.iter().sum::<usize>(), begins[begins.len() - 10..].to_vec())
        };
        // The released models.
        assert_eq!(begins(256, 512), (138_189, vec![629, 636, 643, 650, 657, 664, 672, 679, 686, 694]));
        assert_eq!(begins(8, 32), (7428, vec![3, 4, 5, 8, 16, 32, 62, 122, 241, 476]));
        assert_eq!(begins(6, 16), (6313, vec![1, 2, 3, 4, 7, 16, 34, 76, 168, 376]));
    }

    #[test]
    fn rows_are_within_the_table() {
        for span in [
            Span { half: 3, logarithmic: None },
            Span { half: 2, logarithmic: Some((2, 1)) },
            Span { half: 4, logarithmic: Some((4, 3)) },
            Span { half: 256, logarithmic: Some((256, 512)) },
        ] {
            let rows: Vec<usize> = (0..900).map(|to| span.row(450, to)).collect();
            assert!(rows.iter().all(|row| *row < 2 * span.half) && rows[450] == span.half && rows[449] > rows[451]);
        }
    }
}
