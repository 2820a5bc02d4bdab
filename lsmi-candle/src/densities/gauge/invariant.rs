//! Invariant coordinates of a modality, which no invertible affine change of its columns changes.
//!
//! Whitening removes everything of an affine change but a rotation. The rotation is removed by a second scatter matrix:
//! the eigenvectors of the fourth moments `B = mean |z|^2 z z'` of whitened rows z turn with z, so that coordinates along
//! them do not (fourth-order blind identification, Cardoso 1989; invariant coordinate selection, Tyler, Critchley,
//! Dümbgen, Oja 2009). A coordinate's eigenvalue is d + 2 for normal rows; it is lower where the rows fall into two
//! clusters and higher for heavy tails, so that the coordinates furthest from d + 2 are the most informative ones, and come
//! first. Each coordinate's sign makes its third moment positive.

use crate::numbers::linear_algebra::{add_second_moments, product_transposed, symmetric_eigen};

/// Principal components below this share of the largest variance (of standardised columns) are rounding, not data.
const NEGLIGIBLE: f64 = 1e-9;

/// The principal components of standardised columns that are more than rounding.
pub(super) struct Spectrum {
    /// Variances along the axes, falling.
    pub(super) variances: Vec<f64>,
    /// Unit vectors, `[rank, columns]`, row-major.
    pub(super) axes: Vec<f64>,
}

/// Whitened coordinates of standardised columns.
pub(super) struct Whitening {
    /// The map to the coordinates: `[dims, columns]`, row-major.
    pub(super) axes: Vec<f64>,
}

impl Spectrum {
    /// Returns the spectrum of the correlations `[columns, columns]` of standardised columns; `None` where it cannot be
    /// computed.
    pub(super) fn new(correlations: &[f64], columns: usize) -> Option<Self> {
        let (mut variances, mut axes) = symmetric_eigen(correlations, columns)?;
        if !variances.iter().all(|variance| variance.is_finite()) || variances[0] <= 0.0 {
            return None;
        }
        let least = NEGLIGIBLE * variances[0];
        variances.retain(|variance| *variance > least);
        axes.truncate(variances.len() * columns);
        Some(Self { variances, axes })
    }

    /// Returns the number of components.
    pub(super) fn rank(&self) -> usize {
        self.variances.len()
    }

    /// Returns the leading principal components at unit variance.
    pub(super) fn principal(&self, dims: usize) -> Whitening {
        let columns = self.axes.len() / self.rank();
        let mut axes = Vec::with_capacity(dims * columns);
        for (variance, axis) in self.variances.iter().zip(self.axes.chunks_exact(columns)).take(dims) {
            let deviation = variance.sqrt();
            axes.extend(axis.iter().map(|weight| weight / deviation));
        }
        Whitening { axes }
    }
}

/// Fourth moments of whitened rows, which give the directions of the invariant coordinates.
pub(super) struct FourthMoments {
    principal: Whitening,
    columns: usize,
    dims: usize,
    rows: f64,
    sums: Vec<f64>,
}

/// Third moments along the directions of the invariant coordinates, which give their signs.
pub(super) struct ThirdMoments {
    whitening: Whitening,
    columns: usize,
    sums: Vec<f64>,
}

impl FourthMoments {
    pub(super) fn new(spectrum: &Spectrum) -> Self {
        let dims = spectrum.rank();
        let columns = spectrum.axes.len() / dims;
        Self { principal: spectrum.principal(dims), columns, dims, rows: 0.0, sums: vec![0.0; dims * dims] }
    }

    /// Adds standardised rows `[n, columns]`.
    pub(super) fn add(&mut self, standardised: &[f64]) {
        let mut whitened = product_transposed(standardised, &self.principal.axes, self.columns);
        for row in whitened.chunks_exact_mut(self.dims) {
            let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            for value in row {
                *value *= length;
            }
        }
        self.rows += (standardised.len() / self.columns) as f64;
        add_second_moments(&mut self.sums, &whitened, self.dims);
    }

    /// Returns the invariant coordinates up to their signs, the most informative ones first.
    pub(super) fn directions(mut self) -> Option<ThirdMoments> {
        let (dims, columns) = (self.dims, self.columns);
        for value in &mut self.sums {
            *value /= self.rows;
        }
        let (values, vectors) = symmetric_eigen(&self.sums, dims)?;
        if !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let normal = dims as f64 + 2.0;
        let mut order: Vec<usize> = (0..dims).collect();
        order.sort_by(|a, b| (values[*b] - normal).abs().total_cmp(&(values[*a] - normal).abs()));
        let rotation: Vec<f64> =
            order.into_iter().flat_map(|index| &vectors[index * dims..][..dims]).copied().collect();
        let Whitening { axes } = self.principal;
        let columns_of_axes: Vec<f64> =
            (0..columns).flat_map(|column| axes.iter().skip(column).step_by(columns)).copied().collect();
        let whitening = Whitening { axes: product_transposed(&rotation, &columns_of_axes, dims) };
        Some(ThirdMoments { whitening, columns, sums: vec![0.0; dims] })
    }
}

impl ThirdMoments {
    /// Adds standardised rows `[n, columns]`.
    pub(super) fn add(&mut self, standardised: &[f64]) {
        let coordinates = product_transposed(standardised, &self.whitening.axes, self.columns);
        for row in coordinates.chunks_exact(self.sums.len()) {
            for (sum, value) in self.sums.iter_mut().zip(row) {
                *sum += value * value * value;
            }
        }
    }

    /// Returns the invariant coordinates.
    pub(super) fn whitening(self) -> Whitening {
        let Self { mut whitening, columns, sums } = self;
        for (dim, axis) in whitening.axes.chunks_exact_mut(columns).enumerate() {
            if sums[dim] < 0.0 {
                for weight in axis {
                    *weight = -*weight;
                }
            }
        }
        whitening
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::linear_algebra::second_moments;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    /// Two clusters along the first coordinate, a skewed second one, the others normal.
    fn rows(dims: usize) -> Vec<f64> {
        let mut random = stream(0, "invariant coordinates");
        let mut values: Vec<f64> = (0..500 * dims).map(|_| StandardNormal.sample(&mut random)).collect();
        for (index, row) in values.chunks_exact_mut(dims).enumerate() {
            row[0] += if index % 3 == 0 { 5.0 } else { -5.0 };
            row[1] = row[1].exp();
        }
        values
    }

    fn centred(values: &[f64], dims: usize) -> Vec<f64> {
        let rows = values.len() / dims;
        let mean = |dim: usize| values.iter().skip(dim).step_by(dims).sum::<f64>() / rows as f64;
        let means: Vec<f64> = (0..dims).map(mean).collect();
        values.iter().zip(means.iter().cycle()).map(|(value, mean)| value - mean).collect()
    }

    fn spectrum(values: &[f64], dims: usize) -> Spectrum {
        let rows = (values.len() / dims) as f64;
        let correlations: Vec<f64> = second_moments(values, dims).into_iter().map(|value| value / rows).collect();
        Spectrum::new(&correlations, dims).unwrap()
    }

    fn whitening(values: &[f64], dims: usize) -> Whitening {
        let mut fourth = FourthMoments::new(&spectrum(values, dims));
        values.chunks(100 * dims).for_each(|rows| fourth.add(rows));
        let mut third = fourth.directions().unwrap();
        third.add(values);
        third.whitening()
    }

    fn coordinates(values: &[f64], dims: usize) -> Vec<f64> {
        product_transposed(values, &whitening(values, dims).axes, dims)
    }

    #[test]
    fn an_affine_change_leaves_the_coordinates_as_they_are() {
        let dims = 6;
        let values = centred(&rows(dims), dims);
        let mut random = stream(1, "affine map");
        let map: Vec<f64> = (0..dims * dims).map(|_| StandardNormal.sample(&mut random)).collect();
        let mapped = product_transposed(&values, &map, dims);
        for (before, after) in coordinates(&values, dims).iter().zip(coordinates(&mapped, dims)) {
            assert!((before - after).abs() < 1e-8, "{before} against {after}");
        }
    }

    #[test]
    fn coordinates_are_white() {
        let dims = 4;
        let values = centred(&rows(dims), dims);
        let whitening = whitening(&values, dims);
        let coordinates = product_transposed(&values, &whitening.axes, dims);
        for (index, moment) in second_moments(&coordinates, dims).into_iter().enumerate() {
            let expected = f64::from(u8::from(index % (dims + 1) == 0));
            assert!((moment / 500.0 - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn clusters_and_tails_come_first() {
        let dims = 6;
        let values = centred(&rows(dims), dims);
        let coordinates = coordinates(&values, dims);
        let share = |dim: usize| {
            let products = coordinates.chunks_exact(dims).zip(values.chunks_exact(dims));
            let of_first: f64 = products.map(|(row, value)| row[dim] * value[0]).sum();
            let scale: f64 = values.chunks_exact(dims).map(|value| value[0] * value[0]).sum();
            (of_first / (scale * 500.0).sqrt()).abs()
        };
        assert!(share(0).max(share(1)) > 0.95, "the clusters are among the first two coordinates");
    }

    #[test]
    fn columns_that_others_determine_are_no_dimensions() {
        let values: Vec<f64> =
            centred(&rows(3), 3).chunks_exact(3).flat_map(|row| [row[0], row[1], row[0] - row[1]]).collect();
        assert_eq!(spectrum(&values, 3).rank(), 2);
    }
}
