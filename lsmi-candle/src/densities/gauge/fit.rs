//! Fits a gauge by sums over all rows in a few passes, so that rows need not be in memory.
//!
//! Largest magnitudes; means and variances; correlations, whose spectrum whitens; fourth moments of whitened rows, whose
//! spectrum turns them to invariant coordinates; third moments, which give those their signs.

use super::head::{self, HeadCoordinates, Squash, Tails};
use super::invariant::{FourthMoments, Spectrum, ThirdMoments, Whitening};
use super::passes::Passes;
use super::standardizer::{Magnitudes, Spread};
use super::{Coordinates, Dims, Gauge, GaugeError, GaugeKind, ModalityGauge, Standardizer};
use crate::numbers::linear_algebra::add_second_moments;

/// The number of rows for each whitened dimension from which a full covariance can be trusted.
const ROWS_PER_DIMENSION: usize = 30;
/// The number of rows for each direction of a modality from which its invariant coordinates rise above noise.
const ROWS_PER_DIRECTION: usize = 10;
/// The most whitened dimensions that [`Dims::Auto`] chooses.
const MOST_DIMENSIONS: usize = 64;
/// The largest number of columns of a modality: the correlations of so many take 2 GiB, and their spectrum hours.
const MOST_COLUMNS: usize = 1 << 14;
/// The names of the modalities, by their place.
const MODALITIES: [&str; MOST_MODALITIES] = ["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"];
/// The largest number of modalities that a gauge is fitted to.
const MOST_MODALITIES: usize = 8;

impl Gauge {
    /// Does the same as [`Gauge::fit`] on rows that are read several times.
    pub(crate) fn fit_in_passes(kind: GaugeKind, dims: Dims, rows: &mut dyn Passes) -> Result<Self, GaugeError> {
        let modalities = ModalityGauge::fit_all(kind, dims, rows)?;
        let [first, second] =
            <[ModalityGauge; 2]>::try_from(modalities).unwrap_or_else(|_| unreachable!("two modalities"));
        Ok(Self::of_pair(kind, first, second))
    }
}

impl ModalityGauge {
    /// Fits the coordinates of every modality to rows that are read several times. In the whitened gauge all have equally
    /// many dimensions.
    pub(super) fn fit_all(kind: GaugeKind, dims: Dims, rows: &mut dyn Passes) -> Result<Vec<Self>, GaugeError> {
        for (modality, columns) in MODALITIES.into_iter().zip(rows.columns()) {
            if columns > MOST_COLUMNS {
                return Err(GaugeError::TooManyColumns { modality, columns, most: MOST_COLUMNS });
            }
        }
        let mut magnitudes: Vec<Magnitudes> = rows.columns().into_iter().map(Magnitudes::new).collect();
        rows.pass(&mut |x| add_each(&mut magnitudes, x, Magnitudes::add)).map_err(Box::new)?;
        let mut spreads: Vec<Spread> = magnitudes.into_iter().map(Spread::new).collect();
        rows.pass(&mut |x| add_each(&mut spreads, x, Spread::add)).map_err(Box::new)?;
        let count = spreads[0].rows();
        let standardizers = spreads.iter().zip(MODALITIES).map(|(spread, modality)| spread.standardizer(modality));
        let standardizers: Vec<Standardizer> = standardizers.collect::<Result<_, _>>()?;

        let whitened = whitened(&standardizers, count, rows)?;
        let heads = head_coordinates(&standardizers, &whitened, count, rows)?;
        let dims = match kind {
            GaugeKind::Standardized | GaugeKind::Raw => None,
            GaugeKind::Whitened => Some(whitened_dims(dims, count, &whitened)?),
        };
        let raw = kind == GaugeKind::Raw;
        let modalities = standardizers.into_iter().zip(whitened).zip(heads);
        let gauge = |((standardizer, whitened), heads): ((Standardizer, Whitened), HeadCoordinates)| {
            let axes = dims.map(|dims| whitened.leading(dims));
            Self { coordinates: Coordinates::new(standardizer, axes, raw), heads }
        };
        Ok(modalities.map(gauge).collect())
    }
}

/// Adds rows of each modality to its sums.
fn add_each<Sums>(sums: &mut [Sums], rows: &[&[f64]], add: impl Fn(&mut Sums, &[f64])) {
    for (sums, rows) in sums.iter_mut().zip(rows) {
        add(sums, rows);
    }
}

/// The whitened coordinates that a modality has.
struct Whitened {
    spectrum: Spectrum,
    /// Its invariant coordinates, if there are rows enough for them.
    invariant: Option<Whitening>,
}

/// Fits the coordinates that heads see of every modality: columns with heavy tails are squashed first, and the
/// principal components are those of the squashed columns.
fn head_coordinates(
    standardizers: &[Standardizer],
    whitened: &[Whitened],
    count: usize,
    rows: &mut dyn Passes,
) -> Result<Vec<HeadCoordinates>, GaugeError> {
    let mut tails: Vec<Tails> = standardizers.iter().map(|of| Tails::new(of.columns(), count)).collect();
    rows.pass(&mut |x| {
        for ((tails, standardizer), rows) in tails.iter_mut().zip(standardizers).zip(x) {
            tails.add(&standardizer.apply_to(rows));
        }
    })
    .map_err(Box::new)?;
    let squashes: Vec<_> = tails.iter().map(Tails::squashes).collect();
    let empty_correlations = |squashes: &Vec<Option<Squash>>| {
        let is_any = squashes.iter().any(Option::is_some);
        is_any.then(|| vec![0.0; squashes.len() * squashes.len()])
    };
    let mut correlations: Vec<Option<Vec<f64>>> = squashes.iter().map(empty_correlations).collect();
    if correlations.iter().any(Option::is_some) {
        rows.pass(&mut |x| {
            for (modality, rows) in x.iter().enumerate() {
                if let Some(correlations) = &mut correlations[modality] {
                    let mut standardised = standardizers[modality].apply_to(rows);
                    head::squash(&squashes[modality], &mut standardised);
                    add_second_moments(correlations, &standardised, squashes[modality].len());
                }
            }
        })
        .map_err(Box::new)?;
    }
    let mut coordinates = Vec::with_capacity(squashes.len());
    for (modality, (squashes, correlations)) in squashes.into_iter().zip(correlations).enumerate() {
        let squashed_correlations = match correlations {
            None => None,
            Some(mut correlations) => {
                for value in &mut correlations {
                    *value /= count as f64;
                }
                let failed = || GaugeError::Spectrum { modality: MODALITIES[modality] };
                Some(Spectrum::new(&correlations, squashes.len()).ok_or_else(failed)?)
            }
        };
        let spectrum = squashed_correlations.as_ref().unwrap_or(&whitened[modality].spectrum);
        coordinates.push(HeadCoordinates::new(squashes, spectrum));
    }
    Ok(coordinates)
}

/// Returns the whitened coordinates of every modality.
fn whitened(standardizers: &[Standardizer], count: usize, rows: &mut dyn Passes) -> Result<Vec<Whitened>, GaugeError> {
    let failed = |modality: usize| GaugeError::Spectrum { modality: MODALITIES[modality] };
    let mut correlations: Vec<Vec<f64>> =
        standardizers.iter().map(|of| vec![0.0; of.columns() * of.columns()]).collect();
    let mut standardised = |visit: &mut dyn FnMut(usize, &[f64])| {
        let visit = &mut |x: &[&[f64]]| {
            for (modality, (standardizer, rows)) in standardizers.iter().zip(x).enumerate() {
                visit(modality, &standardizer.apply_to(rows));
            }
        };
        rows.pass(visit).map_err(Box::new)
    };
    standardised(&mut |modality, rows| {
        add_second_moments(&mut correlations[modality], rows, standardizers[modality].columns());
    })?;
    let spectrum = |modality: usize| {
        let correlations: Vec<f64> = correlations[modality].iter().map(|value| value / count as f64).collect();
        Spectrum::new(&correlations, standardizers[modality].columns()).ok_or_else(|| failed(modality))
    };
    let spectra: Vec<Spectrum> = (0..standardizers.len()).map(spectrum).collect::<Result<_, _>>()?;

    let is_enough = |spectrum: &Spectrum| count >= ROWS_PER_DIRECTION * spectrum.rank();
    let mut fourth: Vec<Option<FourthMoments>> =
        spectra.iter().map(|spectrum| is_enough(spectrum).then(|| FourthMoments::new(spectrum))).collect();
    let mut third: Vec<Option<ThirdMoments>> = spectra.iter().map(|_| None).collect();
    if fourth.iter().any(Option::is_some) {
        standardised(&mut |modality, rows| {
            if let Some(fourth) = &mut fourth[modality] {
                fourth.add(rows);
            }
        })?;
        for (modality, (third, fourth)) in third.iter_mut().zip(fourth).enumerate() {
            if let Some(fourth) = fourth {
                *third = Some(fourth.directions().ok_or_else(|| failed(modality))?);
            }
        }
        standardised(&mut |modality, rows| {
            if let Some(third) = &mut third[modality] {
                third.add(rows);
            }
        })?;
    }
    let invariant: Vec<Option<Whitening>> = third.into_iter().map(|third| third.map(ThirdMoments::whitening)).collect();
    Ok(spectra.into_iter().zip(invariant).map(|(spectrum, invariant)| Whitened { spectrum, invariant }).collect())
}

impl Whitened {
    /// Returns the axes of the leading coordinates, `[dims, columns]`.
    fn leading(&self, dims: usize) -> Vec<f64> {
        match &self.invariant {
            None => self.spectrum.principal(dims).axes,
            Some(Whitening { axes }) => axes[..axes.len() / self.spectrum.rank() * dims].to_vec(),
        }
    }
}

/// Returns the number of whitened dimensions: as many as are asked for, or as rows and ranks allow.
fn whitened_dims(dims: Dims, rows: usize, whitened: &[Whitened]) -> Result<usize, GaugeError> {
    let ranks = MODALITIES.into_iter().zip(whitened.iter().map(|of| of.spectrum.rank()));
    match dims {
        Dims::Auto => {
            let least = ranks.map(|(_, rank)| rank).min().unwrap_or(1);
            Ok((rows / ROWS_PER_DIMENSION).clamp(1, MOST_DIMENSIONS).min(least))
        }
        Dims::Fixed(asked) => match ranks.into_iter().find(|(_, rank)| asked > *rank) {
            Some((modality, rank)) => Err(GaugeError::TooManyDimensions { modality, asked, rank }),
            None => Ok(asked),
        },
    }
}
