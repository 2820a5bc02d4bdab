//! Unit vectors on the host: the rows of a projection, and the prototypes of classes.

use candle_core::Tensor;

use crate::error::Result;

/// Products are summed in so many partial sums, side by side.
const LANES: usize = 8;

/// Vectors of one width, of length 1 but where all values of a row are 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vectors {
    width: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// Rows `[n, width]` as they are, row after row.
    pub(super) fn new(width: usize, values: Vec<f32>) -> Self {
        debug_assert!(width > 0 && values.len().is_multiple_of(width));
        Self { width, values }
    }

    /// The rows of a tensor `[n, width]`.
    pub(super) fn of_tensor(rows: &Tensor) -> Result<Self> {
        let (_, width) = rows.dims2()?;
        Ok(Self::new(width, rows.flatten_all()?.to_vec1()?))
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// The mean of the vectors of every class, as a unit vector; a class without rows has zeros.
    pub(super) fn prototypes(&self, labels: &[u32], classes: usize) -> Self {
        let mut sums = vec![0.0f64; classes * self.width];
        for (row, label) in self.rows().zip(labels) {
            let sum = &mut sums[*label as usize * self.width..][..self.width];
            for (sum, value) in sum.iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
        for sum in sums.chunks_exact_mut(self.width) {
            let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
            if length > 0.0 {
                for value in sum {
                    *value /= length;
                }
            }
        }
        Self::new(self.width, sums.into_iter().map(|value| value as f32).collect())
    }

    /// The row nearest to a vector by cosine, the first of equals.
    pub(super) fn nearest(&self, vector: &[f32]) -> usize {
        let first = (0, f32::NEG_INFINITY);
        let products = self.rows().map(|row| product(row, vector)).enumerate();
        products.fold(first, |best, found| if found.1 > best.1 { found } else { best }).0
    }
}

/// The inner product.
pub(super) fn product(first: &[f32], second: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (first, second) = (first.chunks_exact(LANES), second.chunks_exact(LANES));
    let rest: f32 = first.remainder().iter().zip(second.remainder()).map(|(first, second)| first * second).sum();
    for (first, second) in first.zip(second) {
        for (sum, (first, second)) in sums.iter_mut().zip(first.iter().zip(second)) {
            *sum += first * second;
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_all_columns() {
        let first: Vec<f32> = (0..19u8).map(f32::from).collect();
        let second = vec![2.0; 19];
        assert_eq!(product(&first, &second), 342.0);
    }

    #[test]
    fn a_class_is_described_by_the_direction_of_its_mean() {
        let rows = Vectors::new(2, vec![1.0, 0.0, 0.0, 1.0, 0.0, -1.0]);
        let prototypes = rows.prototypes(&[0, 0, 1], 3);
        let half = 0.5f32.sqrt();
        assert_eq!(prototypes.values(), [half, half, 0.0, -1.0, 0.0, 0.0]);
        assert_eq!(prototypes.nearest(&[1.0, 0.1]), 0);
        assert_eq!(prototypes.nearest(&[0.0, -1.0]), 1);
        // Of equals the first.
        assert_eq!(Vectors::new(2, vec![1.0, 0.0, 1.0, 0.0]).nearest(&[0.5, 0.5]), 0);
    }
}
