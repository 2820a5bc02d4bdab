//! Named tables of three sources, each with its information in another place of the lattice.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Rendering, Settings, TableState, directions};
use crate::{
    error::{Error, Result, from_name},
    random::stream,
};

/// The name of a table of three sources; read and written as `parity3`, `copies3`, `pair3`, `hidden3` and `unique3`.
///
/// | name | table | information |
/// |---|---|---|
/// | `parity3` | three fair bits, y their parity | log 2 in {123} |
/// | `copies3` | y a fair bit, every source a copy | log 2 in {1}{2}{3} |
/// | `pair3` | three fair bits, y = s1 xor s2 | log 2 in {12} |
/// | `hidden3` | y a fair bit shared as a secret: any two sources tell it, none alone tells anything | log 2 in {12}{13}{23} |
/// | `unique3` | three fair bits, y = (s1, s2), four classes | log 2 in {1} and in {2} |
///
/// The secret of `hidden3` is Shamir's ("How to share a secret", 1979): a uniform from 0, 1 and 2, and s1 = y + a, s2 = y +
/// 2a, s3 = a, modulo 3.
///
/// The places are those of `ccs` at clear noise. `pm` and `sx` agree on the first two and on `hidden3`; what they make of
/// information that only some modalities have depends on the units, see [`crate::lattice::Redundancy`].
///
/// ```
/// use lsmi_core::families::TableName;
///
/// assert_eq!("hidden3".parse::<TableName>()?, TableName::Hidden3);
/// assert_eq!(TableName::Parity3.to_string(), "parity3");
/// # Ok::<(), lsmi_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableName {
    /// The parity of three fair bits.
    Parity3,
    /// One fair bit in three copies.
    Copies3,
    /// Exclusive or of the bits of modalities 1 and 2; modality 3 carries a bit of its own.
    Pair3,
    /// A bit that any two modalities tell, and none alone.
    Hidden3,
    /// The bits of modalities 1 and 2; modality 3 carries a bit of its own.
    Unique3,
}

impl TableName {
    /// All tables.
    pub const ALL: [Self; 5] = [Self::Parity3, Self::Copies3, Self::Pair3, Self::Hidden3, Self::Unique3];

    /// Returns the name, as it is read and written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parity3 => "parity3",
            Self::Copies3 => "copies3",
            Self::Pair3 => "pair3",
            Self::Hidden3 => "hidden3",
            Self::Unique3 => "unique3",
        }
    }

    /// Returns the number of states of each source.
    fn source_states(self) -> usize {
        if self == Self::Hidden3 { 3 } else { 2 }
    }

    /// Returns the rows of the table, all of one probability.
    ///
    /// ```
    /// use lsmi_core::families::TableName;
    ///
    /// let table = TableName::Copies3.states();
    /// assert_eq!((table[1].sources.as_slice(), table[1].label, table[1].probability), (&[1, 1, 1][..], 1, 0.5));
    /// ```
    #[expect(clippy::cast_possible_truncation, reason = "states and classes are below four")]
    pub fn states(self) -> Vec<TableState> {
        let rows: Vec<([usize; 3], usize)> = match self {
            Self::Copies3 => (0..2).map(|y| ([y; 3], y)).collect(),
            Self::Hidden3 => {
                let row = |y: usize, a: usize| ([(y + a) % 3, (y + 2 * a) % 3, a], y);
                (0..2).flat_map(|y| (0..3).map(move |a| row(y, a))).collect()
            }
            Self::Parity3 | Self::Pair3 | Self::Unique3 => (0..8)
                .map(|bits| {
                    let [one, two, three] = [bits >> 2 & 1, bits >> 1 & 1, bits & 1];
                    let label = match self {
                        Self::Parity3 => one ^ two ^ three,
                        Self::Pair3 => one ^ two,
                        _ => 2 * one + two,
                    };
                    ([one, two, three], label)
                })
                .collect(),
        };
        let probability = 1.0 / rows.len() as f64;
        rows.into_iter()
            .map(|(sources, label)| TableState { sources: sources.to_vec(), label: label as u32, probability })
            .collect()
    }

    /// Returns the table, rendered in `dims` dimensions a modality.
    ///
    /// The centres of a modality have the distance 2 `amplitude` from each other and the origin in their middle: two are at
    /// `amplitude` on both sides of it, as those of the [gates](super::Gate), and three make a triangle. Directions follow
    /// from `parameter_seed`.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `dims` is below the number of states of a source, 2 or for `hidden3` 3, or `amplitude` or
    /// `sigma` is not above 0 and finite.
    ///
    /// ```
    /// use lsmi_core::{Settings, families::TableName, random::stream};
    ///
    /// let rendering = TableName::Parity3.build(&Settings { amplitude: 8.0, ..Settings::default() })?;
    /// let draw = rendering.sample(10, &mut stream(0, "example"));
    /// let terms = rendering.terms(&draw)?;
    /// assert!((terms.information("123".parse()?)[0] - 2.0_f64.ln()).abs() < 1e-9);
    /// assert!(terms.information("12".parse()?)[0].abs() < 1e-9);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn build(self, settings: &Settings) -> Result<Rendering> {
        let &Settings { dims, amplitude, sigma, parameter_seed, .. } = settings;
        super::mixture::check_positive("amplitude", amplitude)?;
        let count = self.source_states();
        if dims < count {
            return Err(Error::parameter("dims", "at least the number of states of a source, 2 or 3", &dims));
        }
        let mut rng = stream(parameter_seed, "table directions");
        let centres = (0..3).map(|_| simplex(directions::orthonormal_vectors(dims, count, &mut rng), amplitude));
        Rendering::new(centres.collect(), sigma, self.states())
    }
}

/// Returns points of the distance 2 `amplitude` around the origin, given an orthonormal vector for each.
fn simplex(vectors: Vec<Vec<f64>>, amplitude: f64) -> Vec<Vec<f64>> {
    let scale = amplitude * std::f64::consts::SQRT_2;
    let middle: Vec<f64> = (0..vectors[0].len())
        .map(|place| vectors.iter().map(|vector| vector[place]).sum::<f64>() / vectors.len() as f64)
        .collect();
    let around =
        |vector: Vec<f64>| vector.iter().zip(&middle).map(|(value, middle)| scale * (value - middle)).collect();
    vectors.into_iter().map(around).collect()
}

impl fmt::Display for TableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for TableName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        from_name("table", name, &Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_read_as_it_is_written() {
        for name in TableName::ALL {
            assert_eq!(name.to_string().parse::<TableName>().unwrap(), name);
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{name}\""));
        }
        let error = "parity".parse::<TableName>().unwrap_err();
        assert_eq!(error.to_string(), "`parity` is no table; use one of parity3, copies3, pair3, hidden3, unique3");
    }

    #[test]
    fn centres_lie_at_twice_the_amplitude_around_the_origin() {
        let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        for count in [2, 3] {
            let points = simplex(directions::orthonormal_vectors(5, count, &mut stream(0, "simplex")), 3.0);
            assert_eq!(points.len(), count);
            for (place, point) in points.iter().enumerate() {
                assert!(points[..place].iter().all(|other| (distance(point, other) - 6.0).abs() < 1e-12));
                let middle = points.iter().map(|point| point[0]).sum::<f64>();
                assert!(middle.abs() < 1e-12);
            }
            let expected = if count == 2 { 3.0 } else { 6.0 / 3.0_f64.sqrt() };
            assert!((distance(&points[0], &[0.0; 5]) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let build = |name: TableName, dims, amplitude| name.build(&Settings { dims, amplitude, ..Settings::default() });
        assert!(build(TableName::Parity3, 2, 3.0).is_ok() && build(TableName::Hidden3, 3, 3.0).is_ok());
        assert!(build(TableName::Parity3, 1, 3.0).is_err() && build(TableName::Hidden3, 2, 3.0).is_err());
        assert!(build(TableName::Copies3, 4, 0.0).is_err() && build(TableName::Copies3, 4, f64::NAN).is_err());
    }
}
