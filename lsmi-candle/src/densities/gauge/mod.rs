//! The gauge: the coordinates in which the surprisal h is measured.
//!
//! Rescaling one modality shifts its surprisal by a constant and so moves the redundancy r, which compares the two
//! surprisals; the information terms do not notice. The choice of coordinates is therefore declared, fitted once on all
//! training rows and stored with the estimator. Three are offered:
//!
//! - [`GaugeKind::Whitened`]: each modality is centred, scaled to unit variance in every direction and turned to its
//!   invariant coordinates, of which the leading ones are kept, equally many for both modalities. An invertible affine
//!   change of a modality changes nothing, provided that there are ten rows for every direction; with fewer, they are the
//!   leading principal components of the standardised columns.
//! - [`GaugeKind::Standardized`]: each column is centred and divided by its standard deviation.
//! - [`GaugeKind::Raw`]: the input's own coordinates, as in the paper (Yang, Wang, Hu 2025).
//!
//! Densities are always fitted in well-scaled coordinates `z = (x - mean) A`. For the raw gauge they are the standardised
//! ones, and the surprisal is brought back by `h(x) = h(z) - log |det A|`.
//!
//! Heads do not depend on the gauge: which directions of a modality vary most is knowledge that classifiers live on, and
//! whitened coordinates have lost it. They see the columns and their principal components (`head.rs`).

mod fit;
mod head;
mod invariant;
mod passes;
mod standardizer;

pub(crate) use head::{HeadCoordinates, HeadRows, Squash};
pub(crate) use passes::Passes;
pub use standardizer::Standardizer;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::passes::{InMemory, ROWS_AT_A_TIME};
use crate::densities::points::single;
use crate::features::FeatureError;
use crate::numbers::linear_algebra::product_transposed;
use crate::numbers::matrix::Matrix;

/// Grid points of whitened coordinates in a standard deviation.
const GRID: f64 = 16_384.0;

/// The coordinates in which surprisals are measured; see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GaugeKind {
    /// Leading principal components at unit variance, equally many for both modalities.
    #[default]
    Whitened,
    /// Columns at mean 0 and variance 1.
    Standardized,
    /// The coordinates of the input.
    Raw,
}

/// The number of dimensions that the whitened gauge keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dims {
    /// One for every 30 rows, at most 64, at most the rank of the lesser modality.
    #[default]
    Auto,
    /// The given number.
    Fixed(usize),
}

/// A gauge that cannot be fitted or named.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GaugeError {
    /// The text names no gauge.
    #[error("`{found}` is not a gauge: expected `whitened`, `standardized` or `raw`")]
    UnknownGauge {
        /// The text.
        found: String,
    },
    /// The text is neither `auto` nor a number of dimensions.
    #[error("`{found}` is not a number of dimensions: expected `auto` or a whole number of at least 1")]
    UnknownDims {
        /// The text.
        found: String,
    },
    /// More dimensions were asked for than a modality has.
    #[error(
        "{asked} whitened dimensions were asked for, but {modality} spans only {rank}: ask for fewer, or use `auto`"
    )]
    TooManyDimensions {
        /// The modality, `x1` or `x2`.
        modality: &'static str,
        /// Dimensions asked for.
        asked: usize,
        /// Dimensions the training rows span.
        rank: usize,
    },
    /// A modality with more columns than their correlations have room for.
    #[error(
        "{modality} has {columns} columns, but correlations are computed of {most} at most: reduce them first, for example to \
         their leading principal components"
    )]
    TooManyColumns {
        /// The modality, `x1` or `x2`.
        modality: &'static str,
        /// Its columns.
        columns: usize,
        /// The largest number of columns.
        most: usize,
    },
    /// A modality in which no column varies.
    #[error(
        "no column of {modality} varies over the {rows} training rows: it has no information about the label; leave it out"
    )]
    ConstantModality {
        /// The modality, `x1` or `x2`.
        modality: &'static str,
        /// Training rows.
        rows: usize,
    },
    /// The rows could not be read.
    #[error(transparent)]
    Rows(#[from] Box<FeatureError>),
    /// The spectrum of a modality could not be computed.
    #[error("the principal components of {modality} could not be computed: its values are too large; rescale them")]
    Spectrum {
        /// The modality, `x1` or `x2`.
        modality: &'static str,
    },
}

/// The fitted map from a modality's own coordinates to those its density is fitted in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coordinates {
    pub(crate) standardizer: Standardizer,
    /// Axes of the whitened coordinates over the standardised columns, `[dims, columns]`, row-major; `None` if the
    /// coordinates are the columns themselves.
    pub(crate) axes: Option<Vec<f64>>,
    /// The term subtracted from the surprisal of the fitted density: `log |det A|` in the raw gauge, else 0.
    pub(crate) log_determinant: f64,
}

/// The fitted coordinates of one modality.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModalityGauge {
    /// Those that its density is fitted in.
    pub(crate) coordinates: Coordinates,
    /// Those that heads see.
    pub(crate) heads: HeadCoordinates,
}

/// The fitted gauge of both modalities.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gauge {
    /// The kind of the coordinates.
    pub kind: GaugeKind,
    /// The map of modality 1.
    pub x1: Coordinates,
    /// The map of modality 2.
    pub x2: Coordinates,
    /// The coordinates that heads see of modality 1 and 2.
    pub(crate) heads: [HeadCoordinates; 2],
}

impl Gauge {
    /// Fits the coordinates on the training rows of both modalities, `[n, d1]` and `[n, d2]`.
    ///
    /// # Errors
    /// [`GaugeError`] where a modality is constant or spans fewer dimensions than asked for.
    pub(crate) fn fit(kind: GaugeKind, dims: Dims, x1: &Matrix, x2: &Matrix) -> Result<Self, GaugeError> {
        Self::fit_in_passes(kind, dims, &mut InMemory(&[x1, x2]))
    }

    /// Returns the gauge of two modalities whose coordinates were fitted together.
    pub(crate) fn of_pair(kind: GaugeKind, first: ModalityGauge, second: ModalityGauge) -> Self {
        Self { kind, x1: first.coordinates, x2: second.coordinates, heads: [first.heads, second.heads] }
    }

    /// Returns the coordinates of modality 0 (x1) or 1 (x2).
    pub(crate) fn coordinates(&self, modality: usize) -> &Coordinates {
        [&self.x1, &self.x2][modality]
    }

    /// Converts rows of modality 0 (x1) or 1 (x2) to the inputs of models.
    pub(crate) fn model_inputs(&self, modality: usize, x: &Matrix) -> ModelCoordinates {
        ModelCoordinates::new(self.coordinates(modality), &self.heads[modality], x)
    }
}

impl ModalityGauge {
    /// Fits the coordinates of modalities, from two to eight, on their training rows, `[n, d]` each.
    ///
    /// # Errors
    /// [`GaugeError`] as for [`Gauge::fit`]; a modality is named by its place.
    pub(crate) fn fit(kind: GaugeKind, dims: Dims, modalities: &[&Matrix]) -> Result<Vec<Self>, GaugeError> {
        Self::fit_all(kind, dims, &mut InMemory(modalities))
    }

    /// Converts rows of the modality to the inputs of models.
    pub(crate) fn model_inputs(&self, x: &Matrix) -> ModelCoordinates {
        ModelCoordinates::new(&self.coordinates, &self.heads, x)
    }
}

impl ModelCoordinates {
    fn new(coordinates: &Coordinates, head_coordinates: &HeadCoordinates, x: &Matrix) -> Self {
        let columns = coordinates.standardizer.columns();
        let (mut density, mut heads) = (Vec::new(), HeadRows::new(head_coordinates));
        for rows in x.values().chunks(ROWS_AT_A_TIME * x.columns()) {
            let standardised = coordinates.standardizer.apply_to(rows);
            match &coordinates.axes {
                None => density.extend(single(&standardised)),
                Some(axes) => density.extend(single(&rounded(product_transposed(&standardised, axes, columns)))),
            }
            heads.extend(head_coordinates, standardised);
        }
        Self { density: (density, coordinates.dims()), heads }
    }
}

/// Rows of a modality as inputs of models.
pub(crate) struct ModelCoordinates {
    /// The inputs of densities: values, row-major, and the number of columns.
    pub(crate) density: (Vec<f32>, usize),
    /// The inputs of heads.
    pub(crate) heads: HeadRows,
}

/// Rounds whitened coordinates to a grid far finer than any data.
///
/// An affine change of the features leaves them equal but for errors of rounding, which the grid takes away: the fits that
/// follow choose between alternatives and would make differences of them.
fn rounded(mut values: Vec<f64>) -> Vec<f64> {
    for value in &mut values {
        *value = (*value * GRID).round() / GRID;
    }
    values
}

impl Coordinates {
    fn new(standardizer: Standardizer, axes: Option<Vec<f64>>, raw: bool) -> Self {
        // In the raw gauge A = diag(1 / deviation), so log |det A| is minus the sum of the logarithms.
        let log_determinant =
            if raw { -standardizer.deviations.iter().map(|deviation| deviation.ln()).sum::<f64>() } else { 0.0 };
        Self { standardizer, axes, log_determinant }
    }

    /// Returns the dimensions of the coordinates that the density is fitted in.
    pub(crate) fn dims(&self) -> usize {
        let columns = self.standardizer.columns();
        self.axes.as_ref().map_or(columns, |axes| axes.len() / columns)
    }

    /// Returns the standardisation of all columns that vary.
    pub(crate) fn standardizer(&self) -> &Standardizer {
        &self.standardizer
    }

    /// Returns `log |det A|`: the surprisal in the gauge is that of the fitted density minus this, in nats.
    pub(crate) fn log_determinant(&self) -> f64 {
        self.log_determinant
    }

    /// Returns rows `[n, dims]`, row-major, in the coordinates in which the density is fitted.
    pub(crate) fn apply(&self, x: &Matrix) -> Vec<f64> {
        let standardised = self.standardizer.apply(x);
        match &self.axes {
            None => standardised,
            Some(axes) => rounded(product_transposed(&standardised, axes, self.standardizer.columns())),
        }
    }
}

impl fmt::Display for GaugeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Whitened => "whitened",
            Self::Standardized => "standardized",
            Self::Raw => "raw",
        })
    }
}

impl FromStr for GaugeKind {
    type Err = GaugeError;

    fn from_str(text: &str) -> Result<Self, GaugeError> {
        match text {
            "whitened" => Ok(Self::Whitened),
            "standardized" => Ok(Self::Standardized),
            "raw" => Ok(Self::Raw),
            _ => Err(GaugeError::UnknownGauge { found: text.to_owned() }),
        }
    }
}

impl FromStr for Dims {
    type Err = GaugeError;

    fn from_str(text: &str) -> Result<Self, GaugeError> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(dims)) if dims > 0 => Ok(Self::Fixed(dims)),
            _ => Err(GaugeError::UnknownDims { found: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::linear_algebra::second_moments;
    use lsmi_core::random::stream;
    use rand_distr::{Distribution, StandardNormal};

    fn normal(rows: usize, columns: usize, name: &str) -> Matrix {
        let mut random = stream(0, name);
        let values = (0..rows * columns).map(|_| StandardNormal.sample(&mut random)).collect();
        Matrix::new(rows, columns, values).unwrap()
    }

    #[test]
    fn whitened_coordinates_have_unit_covariance_and_equal_width() {
        let (x1, x2) = (normal(900, 5, "x1"), normal(900, 3, "x2"));
        let gauge = Gauge::fit(GaugeKind::Whitened, Dims::Auto, &x1, &x2).unwrap();
        assert_eq!((gauge.x1.dims(), gauge.x2.dims()), (3, 3));
        let moments = second_moments(&gauge.x1.apply(&x1), 3);
        for (index, moment) in moments.iter().enumerate() {
            let expected = f64::from(u8::from(index % 4 == 0));
            // The grid's rounding, of deviation 2e-5, moves a mean of 900 products by about 1e-6.
            assert!((moment / 900.0 - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn raw_log_determinant_follows_the_scale() {
        let x1 = normal(300, 4, "x1");
        let scaled = Matrix::new(300, 4, x1.values().iter().map(|value| value * 7.0).collect()).unwrap();
        let plain = Gauge::fit(GaugeKind::Raw, Dims::Auto, &x1, &x1).unwrap();
        let wide = Gauge::fit(GaugeKind::Raw, Dims::Auto, &x1, &scaled).unwrap();
        let shift = plain.x2.log_determinant() - wide.x2.log_determinant();
        assert!((shift - 4.0 * 7.0f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn constant_columns_are_left_out_and_a_constant_modality_is_an_error() {
        let varied = normal(100, 1, "x");
        let values = varied.values().iter().flat_map(|value| [5.0, *value]).collect();
        let half = Matrix::new(100, 2, values).unwrap();
        let gauge = Gauge::fit(GaugeKind::Standardized, Dims::Auto, &half, &varied).unwrap();
        assert_eq!(gauge.x1.dims(), 1);
        let constant = Matrix::new(100, 2, vec![3.0; 200]).unwrap();
        let error = Gauge::fit(GaugeKind::Standardized, Dims::Auto, &varied, &constant).unwrap_err();
        assert!(matches!(error, GaugeError::ConstantModality { modality: "x2", rows: 100 }));
    }

    #[test]
    fn the_scale_of_a_column_does_not_matter() {
        let x = normal(100, 3, "x");
        let standardised = |scale: f64| {
            let scaled = Matrix::new(100, 3, x.values().iter().map(|value| value * scale).collect()).unwrap();
            let gauge = Gauge::fit(GaugeKind::Standardized, Dims::Auto, &scaled, &x).unwrap();
            gauge.x1.standardizer().apply(&scaled)
        };
        let plain = standardised(1.0);
        for scale in [1e-250, 1e-3, 1e250] {
            let scaled = standardised(scale);
            assert!(plain.iter().zip(scaled).all(|(plain, scaled)| (plain - scaled).abs() < 1e-12), "{scale}");
        }
    }

    #[test]
    fn more_dimensions_than_there_are_is_an_error() {
        let x = normal(100, 3, "x");
        let error = Gauge::fit(GaugeKind::Whitened, Dims::Fixed(4), &x, &x).unwrap_err();
        assert!(matches!(error, GaugeError::TooManyDimensions { asked: 4, rank: 3, .. }));
        assert_eq!("12".parse::<Dims>().unwrap(), Dims::Fixed(12));
        assert!("0".parse::<Dims>().is_err());
    }

    #[test]
    fn more_columns_than_there_is_room_for_is_an_error() {
        let (wide, narrow) = (Matrix::new(3, 20_000, vec![0.5; 60_000]).unwrap(), normal(3, 2, "x"));
        let error = Gauge::fit(GaugeKind::Raw, Dims::Auto, &narrow, &wide).unwrap_err();
        assert!(matches!(error, GaugeError::TooManyColumns { modality: "x2", columns: 20_000, .. }), "{error}");
    }
}
