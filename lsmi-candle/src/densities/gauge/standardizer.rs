//! Standardises columns: every column that varies gets mean 0 and variance 1.
//!
//! The largest magnitudes come first: relative to them, neither sums nor squares leave the range of numbers. Means and
//! variances then come from one pass, updated row by row (Welford 1962), which loses no digits to a large mean.

use super::GaugeError;
use crate::numbers::matrix::Matrix;

/// Columns whose standard deviation is below this share of their largest magnitude count as constant.
const CONSTANT: f64 = 1e-10;

/// The map of columns to mean 0 and variance 1, which heads see and every gauge starts from. Constant columns are left
/// out.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    pub(crate) columns: Vec<usize>,
    pub(crate) means: Vec<f64>,
    pub(crate) deviations: Vec<f64>,
    pub(crate) input_columns: usize,
}

impl Standardizer {
    /// Fits the standardisation of a modality's rows; `modality` names it in the error.
    ///
    /// # Errors
    /// [`GaugeError::ConstantModality`] if no column varies.
    ///
    /// ```
    /// use lsmi_candle::densities::gauge::Standardizer;
    /// use lsmi_candle::Matrix;
    ///
    /// let x = Matrix::new(2, 2, vec![1.0, 7.0, 3.0, 7.0])?;
    /// assert_eq!(Standardizer::fit(&x, "x1")?.apply(&x), [-1.0, 1.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fit(x: &Matrix, modality: &'static str) -> Result<Self, GaugeError> {
        let mut magnitudes = Magnitudes::new(x.columns());
        magnitudes.add(x.values());
        let mut spread = Spread::new(magnitudes);
        spread.add(x.values());
        spread.standardizer(modality)
    }

    /// Returns the columns of the input that stay.
    pub fn kept(&self) -> &[usize] {
        &self.columns
    }

    /// Returns the number of columns of the input, constant ones included.
    pub(crate) fn input_columns(&self) -> usize {
        self.input_columns
    }

    /// Returns the number of columns that vary.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Returns standardised rows `[n, columns]`, row-major, of an input `[n, input_columns]`.
    pub fn apply(&self, x: &Matrix) -> Vec<f64> {
        self.apply_to(x.values())
    }

    pub(super) fn apply_to(&self, rows: &[f64]) -> Vec<f64> {
        let mut standardised = Vec::with_capacity(rows.len() / self.input_columns * self.columns.len());
        for row in rows.chunks_exact(self.input_columns) {
            for ((column, mean), deviation) in self.columns.iter().zip(&self.means).zip(&self.deviations) {
                standardised.push((row[*column] - mean) / deviation);
            }
        }
        standardised
    }
}

/// The largest magnitude of every column.
pub(super) struct Magnitudes(Vec<f64>);

impl Magnitudes {
    pub(super) fn new(columns: usize) -> Self {
        Self(vec![0.0; columns])
    }

    pub(super) fn add(&mut self, rows: &[f64]) {
        for row in rows.chunks_exact(self.0.len()) {
            for (largest, value) in self.0.iter_mut().zip(row) {
                *largest = largest.max(value.abs());
            }
        }
    }
}

/// Means and variances of the columns, in units of their magnitudes.
pub(super) struct Spread {
    magnitudes: Vec<f64>,
    rows: usize,
    means: Vec<f64>,
    /// Sums of squares about the mean.
    squares: Vec<f64>,
}

impl Spread {
    pub(super) fn new(Magnitudes(magnitudes): Magnitudes) -> Self {
        let columns = magnitudes.len();
        Self { magnitudes, rows: 0, means: vec![0.0; columns], squares: vec![0.0; columns] }
    }

    pub(super) fn add(&mut self, rows: &[f64]) {
        for row in rows.chunks_exact(self.magnitudes.len()) {
            self.rows += 1;
            let share = (self.rows as f64).recip();
            let columns = self.means.iter_mut().zip(&mut self.squares).zip(&self.magnitudes);
            for (((mean, squares), magnitude), value) in columns.zip(row) {
                let relative = if *magnitude > 0.0 { value / magnitude } else { 0.0 };
                let difference = relative - *mean;
                *mean += difference * share;
                *squares += difference * (relative - *mean);
            }
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the standardizer of the columns that vary.
    pub(super) fn standardizer(&self, modality: &'static str) -> Result<Standardizer, GaugeError> {
        let input_columns = self.magnitudes.len();
        let mut fitted = Standardizer { columns: vec![], means: vec![], deviations: vec![], input_columns };
        for (column, magnitude) in self.magnitudes.iter().enumerate() {
            let deviation = (self.squares[column] / self.rows as f64).sqrt();
            if deviation > CONSTANT {
                fitted.columns.push(column);
                fitted.means.push(self.means[column] * magnitude);
                fitted.deviations.push(deviation * magnitude);
            }
        }
        if fitted.columns.is_empty() {
            return Err(GaugeError::ConstantModality { modality, rows: self.rows });
        }
        Ok(fitted)
    }
}
