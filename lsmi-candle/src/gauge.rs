//! The gauge: the coordinates in which the surprisal h is measured.
//!
//! Rescaling one modality shifts its surprisal by a constant and so moves the redundancy r, which compares the two
//! surprisals; the information terms do not notice. The choice of coordinates is therefore declared, fitted once on all
//! training rows and stored with the estimator. Three are offered:
//!
//! - [`GaugeKind::Whitened`]: each modality is centred and projected on its leading principal components, scaled to unit
//!   variance, with the same number of components for both. While no component is cut off, an invertible affine change of
//!   a modality only rotates these coordinates.
//! - [`GaugeKind::Standardized`]: each column is centred and divided by its standard deviation.
//! - [`GaugeKind::Raw`]: the input's own coordinates, as in the paper (Yang, Wang, Hu 2025).
//!
//! Densities are always fitted in well-scaled coordinates `z = (x - mean) A`. For the raw gauge they are the standardised
//! ones, and the surprisal is brought back by `h(x) = h(z) - log |det A|`.

use std::fmt;
use std::str::FromStr;

use lsmi_core::statistics;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::linear_algebra::{product_transposed, second_moments, symmetric_eigen};
use crate::matrix::Matrix;

/// Columns whose standard deviation is below this share of their largest magnitude count as constant.
const CONSTANT: f64 = 1e-10;
/// Principal components below this share of the largest variance (of standardised columns) are rounding, not data.
const NEGLIGIBLE: f64 = 1e-9;
/// Rows wanted for every whitened dimension before a full covariance can be trusted.
const ROWS_PER_DIMENSION: usize = 30;
/// The most whitened dimensions that [`Dims::Auto`] chooses.
const MOST_DIMENSIONS: usize = 64;

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

/// How many principal components the whitened gauge keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dims {
    /// One for every 30 rows, at most 64, at most the rank of the lesser modality.
    #[default]
    Auto,
    /// This many.
    Fixed(usize),
}

/// A gauge that cannot be fitted or named.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GaugeError {
    /// The text names no gauge.
    #[error("`{found}` is not a gauge: expected `whitened`, `standardized` or `raw`")]
    UnknownGauge {
        /// What was given.
        found: String,
    },
    /// The text is neither `auto` nor a number of dimensions.
    #[error("`{found}` is not a number of dimensions: expected `auto` or a whole number of at least 1")]
    UnknownDims {
        /// What was given.
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
    /// A modality in which no column varies.
    #[error(
        "no column of {modality} varies over the {rows} training rows: it can tell nothing of the label; leave it out"
    )]
    ConstantModality {
        /// The modality, `x1` or `x2`.
        modality: &'static str,
        /// Training rows.
        rows: usize,
    },
    /// The spectrum of a modality could not be computed.
    #[error("the principal components of {modality} could not be computed: its values are too large; rescale them")]
    Spectrum {
        /// The modality, `x1` or `x2`.
        modality: &'static str,
    },
}

/// Columns at mean 0 and variance 1: what heads see, and the first step of every gauge. Constant columns are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    pub(crate) columns: Vec<usize>,
    pub(crate) means: Vec<f64>,
    pub(crate) deviations: Vec<f64>,
    pub(crate) input_columns: usize,
}

/// The fitted map from a modality's own coordinates to those its density is fitted in.
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinates {
    pub(crate) standardizer: Standardizer,
    /// Scaled principal axes over the standardised columns, `[dims, columns]`, row-major; none: the columns themselves.
    pub(crate) axes: Option<Vec<f64>>,
    /// Subtracted from the surprisal of the fitted density: `log |det A|` in the raw gauge, else 0.
    pub(crate) log_determinant: f64,
}

/// The fitted gauge of both modalities.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// Which coordinates were chosen.
    pub kind: GaugeKind,
    /// The map of modality 1.
    pub x1: Coordinates,
    /// The map of modality 2.
    pub x2: Coordinates,
}

impl Gauge {
    /// Fits the coordinates on the training rows of both modalities, `[n, d1]` and `[n, d2]`.
    ///
    /// # Errors
    /// [`GaugeError`] where a modality is constant or spans fewer dimensions than asked for.
    pub fn fit(kind: GaugeKind, dims: Dims, x1: &Matrix, x2: &Matrix) -> Result<Self, GaugeError> {
        let first = Standardizer::fit("x1", x1)?;
        let second = Standardizer::fit("x2", x2)?;
        let (x1, x2) = match kind {
            GaugeKind::Standardized => (Coordinates::scaled(first, false), Coordinates::scaled(second, false)),
            GaugeKind::Raw => (Coordinates::scaled(first, true), Coordinates::scaled(second, true)),
            GaugeKind::Whitened => {
                let spectra = [Spectrum::of("x1", &first, x1)?, Spectrum::of("x2", &second, x2)?];
                let least = spectra[0].rank.min(spectra[1].rank);
                let dims = match dims {
                    Dims::Auto => (x1.rows() / ROWS_PER_DIMENSION).clamp(1, MOST_DIMENSIONS).min(least),
                    Dims::Fixed(asked) => asked,
                };
                for spectrum in &spectra {
                    if dims > spectrum.rank {
                        return Err(GaugeError::TooManyDimensions {
                            modality: spectrum.modality,
                            asked: dims,
                            rank: spectrum.rank,
                        });
                    }
                }
                (Coordinates::whitened(first, &spectra[0], dims), Coordinates::whitened(second, &spectra[1], dims))
            }
        };
        Ok(Self { kind, x1, x2 })
    }
}

impl Standardizer {
    fn fit(modality: &'static str, x: &Matrix) -> Result<Self, GaugeError> {
        let mut largest = vec![0.0f64; x.columns()];
        for row in x.values().chunks_exact(x.columns()) {
            for (value, largest) in row.iter().zip(&mut largest) {
                *largest = largest.max(value.abs());
            }
        }
        let (mut columns, mut means, mut deviations) = (Vec::new(), Vec::new(), Vec::new());
        for (column, largest) in largest.into_iter().enumerate().filter(|(_, largest)| *largest > 0.0) {
            // Relative to the largest, neither sums nor squares leave the range of numbers.
            let relative: Vec<f64> =
                x.values().iter().skip(column).step_by(x.columns()).map(|value| value / largest).collect();
            let mean = statistics::mean(&relative);
            let squares: Vec<f64> = relative.iter().map(|value| (value - mean) * (value - mean)).collect();
            let deviation = statistics::mean(&squares).sqrt();
            if deviation > CONSTANT {
                columns.push(column);
                means.push(mean * largest);
                deviations.push(deviation * largest);
            }
        }
        if columns.is_empty() {
            return Err(GaugeError::ConstantModality { modality, rows: x.rows() });
        }
        Ok(Self { columns, means, deviations, input_columns: x.columns() })
    }

    /// Columns of the input, constant ones included.
    pub fn input_columns(&self) -> usize {
        self.input_columns
    }

    /// Columns that vary, which are those that stay.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Standardised rows `[n, columns]`, row-major, of an input `[n, input_columns]`.
    pub fn apply(&self, x: &Matrix) -> Vec<f64> {
        let mut standardised = Vec::with_capacity(x.rows() * self.columns.len());
        for row in x.values().chunks_exact(self.input_columns) {
            for ((column, mean), deviation) in self.columns.iter().zip(&self.means).zip(&self.deviations) {
                standardised.push((row[*column] - mean) / deviation);
            }
        }
        standardised
    }
}

impl Coordinates {
    fn scaled(standardizer: Standardizer, raw: bool) -> Self {
        // A = diag(1 / deviation), so log |det A| is minus the sum of the logarithms.
        let log_determinant =
            if raw { -standardizer.deviations.iter().map(|deviation| deviation.ln()).sum::<f64>() } else { 0.0 };
        Self { standardizer, axes: None, log_determinant }
    }

    fn whitened(standardizer: Standardizer, spectrum: &Spectrum, dims: usize) -> Self {
        let columns = standardizer.columns();
        let mut axes = Vec::with_capacity(dims * columns);
        for (variance, axis) in spectrum.variances.iter().zip(spectrum.axes.chunks_exact(columns)).take(dims) {
            axes.extend(axis.iter().map(|weight| weight / variance.sqrt()));
        }
        Self { standardizer, axes: Some(axes), log_determinant: 0.0 }
    }

    /// The dimensions of the coordinates that the density is fitted in.
    pub fn dims(&self) -> usize {
        let columns = self.standardizer.columns();
        self.axes.as_ref().map_or(columns, |axes| axes.len() / columns)
    }

    /// What heads see: all standardised columns.
    pub fn standardizer(&self) -> &Standardizer {
        &self.standardizer
    }

    /// `log |det A|`: the surprisal in the gauge is that of the fitted density minus this, in nats.
    pub fn log_determinant(&self) -> f64 {
        self.log_determinant
    }

    /// Rows `[n, dims]`, row-major, in the coordinates the density is fitted in.
    pub fn apply(&self, x: &Matrix) -> Vec<f64> {
        let standardised = self.standardizer.apply(x);
        match &self.axes {
            None => standardised,
            Some(axes) => product_transposed(&standardised, axes, self.standardizer.columns()),
        }
    }
}

/// The principal components of a modality's standardised columns.
struct Spectrum {
    modality: &'static str,
    variances: Vec<f64>,
    axes: Vec<f64>,
    rank: usize,
}

impl Spectrum {
    fn of(modality: &'static str, standardizer: &Standardizer, x: &Matrix) -> Result<Self, GaugeError> {
        let mut correlation = second_moments(&standardizer.apply(x), standardizer.columns());
        for value in &mut correlation {
            *value /= x.rows() as f64;
        }
        let (variances, axes) =
            symmetric_eigen(&correlation, standardizer.columns()).ok_or(GaugeError::Spectrum { modality })?;
        if !variances.iter().all(|variance| variance.is_finite()) || variances[0] <= 0.0 {
            return Err(GaugeError::Spectrum { modality });
        }
        let rank = variances.iter().take_while(|variance| **variance > NEGLIGIBLE * variances[0]).count();
        Ok(Self { modality, variances, axes, rank })
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
            assert!((moment / 900.0 - expected).abs() < 1e-10);
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
            Standardizer::fit("x1", &scaled).unwrap().apply(&scaled)
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
}
