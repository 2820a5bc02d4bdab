//! Which positions of a batch look at which.

use std::ops::Range;

use candle_core::{DType, Device, Tensor};

use crate::embedding::encoders::error::Result;

/// What is added to the scores of positions that must not be looked at: far below any score, but finite, so that a row
/// with nothing to look at stays a number.
const HIDDEN: f32 = -1e30;

/// How far positions look: `i` at those from `i - before` to `i + after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) before: usize,
    pub(crate) after: usize,
}

impl Band {
    /// At all positions.
    pub(crate) const ALL: Self = Self { before: usize::MAX, after: usize::MAX };
    /// At themselves and at those before them.
    pub(crate) const CAUSAL: Self = Self { before: usize::MAX, after: 0 };

    /// At those up to a distance.
    pub(crate) fn window(distance: usize) -> Self {
        Self { before: distance, after: distance }
    }

    /// What both let be looked at.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { before: self.before.min(other.before), after: self.after.min(other.after) }
    }

    /// The positions within `0..length` that position `i` looks at.
    pub(super) fn of(self, i: usize, length: usize) -> Range<usize> {
        i.saturating_sub(self.before)..length.min(i.saturating_add(self.after).saturating_add(1))
    }
}

/// A sequence within a batch: positions of one of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedding::encoders::layers) struct Sequence {
    pub(in crate::embedding::encoders::layers) row: usize,
    pub(in crate::embedding::encoders::layers) positions: Range<usize>,
}

/// Which positions of a batch look at which: those of the same sequence, within a band.
#[derive(Debug, Clone)]
pub(crate) struct Mask {
    band: Band,
    lie: Lie,
}

/// Where the sequences of a batch lie.
#[derive(Debug, Clone)]
enum Lie {
    /// One in each row, as long as it.
    Rows,
    /// One in each row, some of whose positions are padding: `keep` `[B, T]` is 1 or 0. Where each sequence lies without gaps,
    /// they are listed.
    Padded { keep: Tensor, sequences: Option<Vec<Sequence>> },
    /// All in one row, one after the other.
    Packed(Vec<Sequence>),
}

impl Mask {
    /// Hides padding: `keep` is `[B, T]`, any number type, 1 at tokens and 0 at padding. None where nothing is padded.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub(crate) fn padding(keep: &Tensor) -> Result<Option<Self>> {
        let rows = keep.to_dtype(DType::U32)?.to_vec2::<u32>()?;
        if rows.iter().flatten().all(|kept| *kept != 0) {
            return Ok(None);
        }
        let sequences = rows.iter().enumerate().map(|(row, kept)| Some(Sequence { row, positions: range(kept)? }));
        let lie = Lie::Padded { keep: keep.clone(), sequences: sequences.collect() };
        Ok(Some(Self { band: Band::ALL, lie }))
    }

    /// Lets all positions of a row look at each other within a band.
    pub(crate) fn band(band: Band) -> Self {
        Self { band, lie: Lie::Rows }
    }

    /// The same sequences within this band too.
    #[must_use]
    pub(crate) fn within(&self, band: Band) -> Self {
        Self { band: self.band.and(band), lie: self.lie.clone() }
    }

    /// A mask within a band; `mask` says where the sequences are, if not in whole rows.
    pub(crate) fn within_or(mask: Option<&Self>, band: Band) -> Self {
        mask.map_or_else(|| Self::band(band), |mask| mask.within(band))
    }

    /// The sequences of lengths that follow each other in one row.
    pub(super) fn packed(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut begin = 0;
        let sequence = |length| {
            begin += length;
            Sequence { row: 0, positions: begin - length..begin }
        };
        Self { band: Band::ALL, lie: Lie::Packed(lengths.into_iter().map(sequence).collect()) }
    }

    /// How far positions look.
    pub(in crate::embedding::encoders::layers) fn reach(&self) -> Band {
        self.band
    }

    /// The sequences of `rows` rows of `length` positions; None where padding is between positions of one.
    pub(in crate::embedding::encoders::layers) fn sequences(
        mask: Option<&Self>,
        rows: usize,
        length: usize,
    ) -> Option<Vec<Sequence>> {
        match mask.map(|mask| &mask.lie) {
            None | Some(Lie::Rows) => Some((0..rows).map(|row| Sequence { row, positions: 0..length }).collect()),
            Some(Lie::Padded { sequences, .. }) => sequences.clone(),
            Some(Lie::Packed(sequences)) => Some(sequences.clone()),
        }
    }

    /// What is added to the scores of `length` positions, for devices that take whole batches: f32
    /// `[B or 1, 1, T or 1, T]`, 0 where a position may be looked at. None where all may.
    pub(super) fn scores(&self, length: usize, device: &Device) -> Result<Option<Tensor>> {
        let pairs = |look: &dyn Fn(usize, usize) -> bool| -> Result<Tensor> {
            let pairs = (0..length).flat_map(|i| (0..length).map(move |j| (i, j)));
            let values: Vec<f32> = pairs.map(|(i, j)| if look(i, j) { 0.0 } else { HIDDEN }).collect();
            Ok(Tensor::from_vec(values, (1, 1, length, length), device)?)
        };
        let near = |i: usize, j: usize| self.band.of(i, length).contains(&j);
        match &self.lie {
            Lie::Rows if self.band == Band::ALL => Ok(None),
            Lie::Rows => Ok(Some(pairs(&near)?)),
            Lie::Packed(sequences) => {
                let of: Vec<usize> = (0..length)
                    .map(|i| sequences.iter().position(|sequence| sequence.positions.contains(&i)).unwrap_or(i))
                    .collect();
                Ok(Some(pairs(&|i, j| of[i] == of[j] && near(i, j))?))
            }
            Lie::Padded { keep, .. } => {
                let hidden = keep.to_dtype(DType::F32)?.affine(-f64::from(HIDDEN), f64::from(HIDDEN))?;
                let hidden = hidden.unsqueeze(1)?.unsqueeze(1)?;
                if self.band == Band::ALL {
                    return Ok(Some(hidden));
                }
                // The sum of two stays finite.
                Ok(Some(hidden.broadcast_add(&pairs(&near)?)?))
            }
        }
    }
}

/// Where the kept positions are, if nothing lies between them; nowhere if there are none.
fn range(kept: &[u32]) -> Option<Range<usize>> {
    let first = kept.iter().position(|kept| *kept != 0).unwrap_or(0);
    let count = kept[first..].iter().take_while(|kept| **kept != 0).count();
    kept[first + count..].iter().all(|kept| *kept == 0).then_some(first..first + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_end_where_sequences_do() {
        assert_eq!(Band::ALL.of(3, 5), 0..5);
        assert_eq!(Band::CAUSAL.of(3, 5), 0..4);
        assert_eq!(Band::window(1).of(0, 5), 0..2);
        assert_eq!(Band::window(2).and(Band::CAUSAL).of(4, 5), 2..5);
    }

    #[test]
    fn padding_lies_around_sequences_or_between_their_positions() {
        assert_eq!(range(&[1, 1, 0]), Some(0..2));
        assert_eq!(range(&[0, 1, 1]), Some(1..3));
        assert_eq!(range(&[1, 0, 1]), None);
        assert_eq!(range(&[0, 0]), Some(0..0));
        let keep = Tensor::new(vec![vec![1u32, 1], vec![1, 1]], &Device::Cpu).unwrap();
        assert!(Mask::padding(&keep).unwrap().is_none());
    }
}
