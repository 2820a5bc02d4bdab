//! An encoder in two stages: what makes the states that enter its blocks, and its tail, the blocks and what follows them.
//!
//! The last blocks of a tail can be [trained](Weights::trained) by themselves: the states that enter them are made once,
//! cut into the rows of single inputs ([`Entry`]), and put together again for each batch. A tail of weights that are
//! trained has gradients; all layers before it are as they are for inference.
//!
//! [`Weights::trained`]: super::Weights::trained

use std::ops::Range;

use candle_core::{DType, Tensor};

use super::error::{EncoderError, Result};
use super::hidden::Hidden;

/// The blocks of a transformer, and what follows them.
pub trait Tail: Send + Sync {
    /// Returns the number of blocks.
    fn blocks(&self) -> usize;

    /// Applies the first `blocks` blocks.
    ///
    /// # Errors
    /// A candle error where the device fails.
    fn advance(&self, entered: Entered, blocks: usize) -> Result<Entered>;

    /// Applies all blocks and what follows them.
    ///
    /// # Errors
    /// A candle error where the device fails.
    fn finish(&self, entered: &Entered) -> Result<Hidden>;
}

/// A text model in two stages.
pub trait TextStages {
    /// Makes the states that enter the first block; the arguments are those of
    /// [`TextEncoder::encode`](super::TextEncoder::encode).
    ///
    /// # Errors
    /// As [`TextEncoder::encode`](super::TextEncoder::encode).
    fn enter(&self, ids: &Tensor, mask: &Tensor, types: Option<&Tensor>) -> Result<Entered>;

    /// Returns the blocks and what follows them.
    fn tail(&self) -> &dyn Tail;
}

/// A model of pictures in two stages.
pub trait ImageStages {
    /// Makes the states that enter the first block; the argument is that of
    /// [`ImageEncoder::encode`](super::ImageEncoder::encode).
    ///
    /// # Errors
    /// As [`ImageEncoder::encode`](super::ImageEncoder::encode).
    fn enter(&self, pixels: &Tensor) -> Result<Entered>;

    /// Returns the blocks and what follows them.
    fn tail(&self) -> &dyn Tail;
}

/// States of a batch that enter a block, and what the tail needs to know of them.
#[derive(Debug, Clone)]
pub struct Entered {
    /// `[B, T, d]`.
    pub states: Tensor,
    /// `[B, T]`, 1 at tokens and 0 at padding, u32; none where nothing is padded.
    pub keep: Option<Tensor>,
    /// `[B]`, the positions at which texts end, u32; none where the model does not look there.
    pub ends: Option<Tensor>,
}

/// States of one input that enter a block, without padding.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `[T, d]`.
    states: Tensor,
    end: Option<u32>,
    /// Whether the model leaves padding out of account, so that inputs of several lengths can be put together.
    takes_padding: bool,
}

impl Entry {
    /// Returns the states, `[T, d]`.
    pub fn states(&self) -> &Tensor {
        &self.states
    }
}

impl Entered {
    /// Cuts a batch into its inputs, without their padding.
    ///
    /// # Errors
    /// A candle error where the device fails.
    pub fn rows(&self) -> Result<Vec<Entry>> {
        let (batch, length, _) = self.states.dims3()?;
        let kept: Vec<Range<usize>> = match &self.keep {
            None => vec![0..length; batch],
            Some(keep) => keep.to_dtype(DType::U32)?.to_vec2::<u32>()?.iter().map(|row| kept(row)).collect(),
        };
        let ends = self.ends.as_ref().map(Tensor::to_vec1::<u32>).transpose()?;
        let entry = |(row, kept): (usize, &Range<usize>)| {
            // A copy: a view would keep the whole batch in memory.
            let states = self.states.get(row)?.narrow(0, kept.start, kept.len())?.force_contiguous()?;
            let end = ends.as_ref().map(|ends| ends[row].saturating_sub(index(kept.start)));
            Ok(Entry { states, end, takes_padding: self.keep.is_some() })
        };
        kept.iter().enumerate().map(entry).collect()
    }

    /// Puts inputs together, the shorter ones filled up with padding behind them.
    ///
    /// # Errors
    /// [`EncoderError::Input`] where there are none, or they are of several lengths, as pictures of several sizes, and the model
    /// takes no padding; a candle error where the device fails.
    pub fn of_rows(rows: &[&Entry]) -> Result<Self> {
        let lengths = rows.iter().map(|row| row.states.dim(0)).collect::<candle_core::Result<Vec<_>>>()?;
        let Some(longest) = lengths.iter().copied().max() else {
            return Err(EncoderError::Input {
                what: "the number of inputs of a batch",
                expected: "at least 1".to_owned(),
                found: "0".to_owned(),
            });
        };
        if let Some((_, length)) =
            rows.iter().zip(&lengths).find(|(row, length)| !row.takes_padding && **length != longest)
        {
            return Err(EncoderError::Input {
                what: "the size of the pictures of a batch",
                expected: format!("the same, here {longest} states each"),
                found: format!("{length} states"),
            });
        }
        let filled = rows.iter().zip(&lengths).map(|(row, length)| row.states.pad_with_zeros(0, 0, longest - length));
        let states = Tensor::stack(&filled.collect::<candle_core::Result<Vec<_>>>()?, 0)?;
        let device = states.device();
        let keep = if lengths.iter().all(|length| *length == longest) {
            // Nothing is padded.
            None
        } else {
            let kept = lengths.iter().flat_map(|length| (0..longest).map(|place| u32::from(place < *length)));
            Some(Tensor::from_iter(kept, device)?.reshape((rows.len(), longest))?)
        };
        let ends: Option<Vec<u32>> = rows.iter().map(|row| row.end).collect();
        let ends = ends.map(|ends| Tensor::new(ends, device)).transpose()?;
        Ok(Self { states, keep, ends })
    }
}

/// The positions from the first kept one to the last.
fn kept(row: &[u32]) -> Range<usize> {
    let is_kept = |kept: &u32| *kept != 0;
    let first = row.iter().position(is_kept).unwrap_or(0);
    first..row.iter().rposition(is_kept).map_or(row.len(), |last| last + 1)
}

/// A position; texts are far shorter than 2^32.
fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The blocks of a tail: the last `asked` of `count`, or all of them.
///
/// # Errors
/// [`EncoderError::Blocks`] where there are fewer, or none is asked for.
pub(super) fn last_blocks(count: usize, asked: Option<usize>) -> Result<Range<usize>> {
    match asked {
        None => Ok(0..count),
        Some(asked) if (1..=count).contains(&asked) => Ok(count - asked..count),
        Some(asked) => Err(EncoderError::Blocks { asked, found: count }),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn inputs_are_cut_out_and_put_together_with_their_padding_behind_them() {
        let states = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap().reshape((2, 3, 2)).unwrap();
        let keep = Tensor::new(vec![vec![1u32, 1, 1], vec![0, 1, 1]], &Device::Cpu).unwrap();
        let ends = Tensor::new(vec![2u32, 1], &Device::Cpu).unwrap();
        let rows = Entered { states, keep: Some(keep), ends: Some(ends) }.rows().unwrap();
        let rows: [Entry; 2] = rows.try_into().unwrap();
        let together = Entered::of_rows(&[&rows[1], &rows[0]]).unwrap();
        let expected = vec![vec![[8f32, 9.0], [10.0, 11.0], [0.0, 0.0]], vec![[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]];
        assert_eq!(together.states.to_vec3::<f32>().unwrap(), expected);
        assert_eq!(together.keep.unwrap().to_vec2::<u32>().unwrap(), [[1, 1, 0], [1, 1, 1]]);
        assert_eq!(together.ends.unwrap().to_vec1::<u32>().unwrap(), [0, 2]);
        assert!(Entered::of_rows(&[&rows[0]]).unwrap().keep.is_none());
        assert!(Entered::of_rows(&[]).is_err());
        let fixed = rows.map(|row| Entry { takes_padding: false, ..row });
        assert!(matches!(Entered::of_rows(&[&fixed[0], &fixed[1]]), Err(EncoderError::Input { .. })));
    }

    #[test]
    fn the_last_blocks_are_trained() {
        assert_eq!(last_blocks(6, None).unwrap(), 0..6);
        assert_eq!(last_blocks(6, Some(2)).unwrap(), 4..6);
        assert_eq!(last_blocks(6, Some(6)).unwrap(), 0..6);
        for wrong in [0, 7] {
            assert!(matches!(last_blocks(6, Some(wrong)), Err(EncoderError::Blocks { .. })), "{wrong}");
        }
    }
}
