//! Batches without their padding: a padded batch costs what its tokens cost.

use candle_core::{DType, Tensor};

use super::Mask;
use super::mask::Sequence;
use crate::embedding::encoders::error::Result;

/// Applies layers to the states `[B, T, d]` of a batch and gives what comes out, `[B, T, d']`.
///
/// On the processor, in f32, the layers get the tokens of all sequences one after the other, `[1, N, d]`, the mask that
/// keeps the sequences apart, and the position of each token in its sequence; padding is 0 in what comes out. Elsewhere they get the batch as it
/// is: devices that work on whole batches gain little by it. Layers must not look at other positions but by attention.
pub(crate) fn packed(
    x: Tensor,
    mask: Option<&Mask>,
    layers: impl FnOnce(Tensor, Option<&Mask>, &[u32]) -> Result<Tensor>,
) -> Result<Tensor> {
    let (batch, length, width) = x.dims3()?;
    let is_on_host = x.device().is_cpu() && x.dtype() == DType::F32;
    let sequences = mask.filter(|_| is_on_host).and_then(|mask| Mask::sequences(Some(mask), batch, length));
    let (Some(mask), Some(sequences)) = (mask, sequences) else {
        let positions: Vec<u32> = (0..).take(length).collect();
        return layers(x, mask, &positions);
    };
    if sequences.iter().all(|sequence| sequence.positions == (0..length)) || sequences.iter().all(is_empty) {
        let positions: Vec<u32> = (0..).take(length).collect();
        return layers(x, Some(mask), &positions);
    }
    let places = sequences
        .iter()
        .flat_map(|Sequence { row, positions }| positions.clone().map(move |position| index(row * length + position)));
    let places: Vec<u32> = places.collect();
    let positions: Vec<u32> = sequences.iter().flat_map(|sequence| (0..).take(sequence.positions.len())).collect();
    let tokens = places.len();
    let gather = Tensor::from_slice(&places, tokens, x.device())?;
    let x = x.reshape((batch * length, width))?.index_select(&gather, 0)?.unsqueeze(0)?;
    let lengths = sequences.iter().map(|sequence| sequence.positions.len());
    let states = layers(x, Some(&Mask::packed(lengths).within(mask.reach())), &positions)?.squeeze(0)?;
    // Padding takes the row behind the last.
    let mut rows = vec![index(tokens); batch * length];
    for (token, place) in (0..).zip(&places) {
        rows[*place as usize] = token;
    }
    let states = states.pad_with_zeros(0, 0, 1)?;
    let rows = Tensor::from_vec(rows, batch * length, states.device())?;
    Ok(states.index_select(&rows, 0)?.reshape((batch, length, ()))?)
}

fn is_empty(sequence: &Sequence) -> bool {
    sequence.positions.is_empty()
}

/// The number of a token; batches are far smaller than 2^32.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
