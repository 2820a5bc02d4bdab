//! How features are scaled before a network sees them.

/// No column is divided by less than this share of its modality's root mean square deviation: one that hardly varies in
/// training would otherwise be huge in the first test sample where it does.
const LEAST_DEVIATION: f64 = 0.1;

/// Means and deviations of columns, with a floor under the deviations.
pub(crate) fn scale(values: &[f64], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let rows = (values.len() / columns) as f64;
    let mut means = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / rows;
        }
    }
    let mut variances = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for ((variance, mean), value) in variances.iter_mut().zip(&means).zip(row) {
            *variance += (value - mean) * (value - mean) / rows;
        }
    }
    let floor = LEAST_DEVIATION * (variances.iter().sum::<f64>() / columns as f64).sqrt();
    let deviation = |variance: f64| {
        let deviation = variance.sqrt().max(floor);
        if deviation > 0.0 { deviation } else { 1.0 }
    };
    (means, variances.into_iter().map(deviation).collect())
}

/// Rows less the means of their columns, each divided by its deviation.
#[expect(clippy::cast_possible_truncation, reason = "networks compute in single precision")]
pub(crate) fn scaled(values: &[f64], (means, deviations): &(Vec<f64>, Vec<f64>)) -> Vec<f32> {
    let scale = |((value, mean), deviation): ((&f64, &f64), &f64)| ((value - mean) / deviation) as f32;
    values.chunks_exact(means.len()).flat_map(|row| row.iter().zip(means).zip(deviations).map(scale)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_hardly_vary_are_not_blown_up() {
        let (means, deviations) = scale(&[0.0, 1.0, 5.0, 4.0, 1.0, 5.0], 3);
        assert_eq!(means, [2.0, 1.0, 5.0]);
        assert_eq!(deviations[0], 2.0);
        assert!((deviations[1] - 0.1 * (4f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(scale(&[3.0, 3.0], 1).1, [1.0]);
    }
}
