//! The terms of every subset of the modalities, sample by sample.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Serialize};

use super::Subset;
use crate::{
    error::{Error, Result},
    ids::SampleIds,
    statistics::mean,
    terms::Terms,
};

/// Columns, by their subsets.
type Columns = BTreeMap<Subset, Vec<f64>>;

/// The terms of `n` samples of two to eight modalities, in nats; every column has `n` finite values, in the order of the
/// ids.
#[derive(Debug, Clone, PartialEq)]
pub struct SubsetTerms {
    ids: SampleIds,
    modalities: usize,
    /// i of every subset.
    informations: Columns,
    /// h of the subsets that have a density.
    surprisals: Columns,
}

/// The means of the terms over all samples, in nats: mutual informations, and entropies where there are surprisals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubsetMeans {
    /// The mean of `i_A`, an estimate of the mutual information I(`X_A`;Y), for every subset A.
    pub informations: BTreeMap<Subset, f64>,
    /// The mean of `h_A`, an estimate of the differential entropy, for the subsets that have surprisals.
    pub surprisals: BTreeMap<Subset, f64>,
}

impl SubsetTerms {
    /// Creates terms from columns in the order of `ids`: the pointwise mutual information of every subset of the
    /// modalities, and the surprisals of any subsets, none of which need be given.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if there are not two to eight modalities or a subset has a modality beyond them;
    /// [`Error::RepeatedTerm`] if a subset comes twice, [`Error::MissingTerm`] if the information of one is missing;
    /// [`Error::TermLength`] if a column has not one value a sample, [`Error::TermNotFinite`] if a value is NaN or
    /// infinite.
    ///
    /// ```
    /// use lsmi_core::{SampleIds, Subset, SubsetTerms};
    ///
    /// let column = |subset: Subset| (subset, vec![0.1 * subset.len() as f64]);
    /// let terms = SubsetTerms::new(SampleIds::rows(1), 3, Subset::all(3).map(column), [])?;
    /// assert_eq!(terms.information(Subset::whole(2)), [0.2]);
    ///
    /// let error = SubsetTerms::new(SampleIds::rows(1), 3, Subset::all(2).map(column), []).unwrap_err();
    /// assert!(error.to_string().starts_with("the term `i3` is missing"));
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn new(
        ids: SampleIds,
        modalities: usize,
        informations: impl IntoIterator<Item = (Subset, Vec<f64>)>,
        surprisals: impl IntoIterator<Item = (Subset, Vec<f64>)>,
    ) -> Result<Self> {
        check_modalities(modalities)?;
        let informations = checked("i", &ids, modalities, informations)?;
        let surprisals = checked("h", &ids, modalities, surprisals)?;
        match Subset::all(modalities).find(|subset| !informations.contains_key(subset)) {
            Some(subset) => Err(missing("i", subset)),
            None => Ok(Self { ids, modalities, informations, surprisals }),
        }
    }

    /// Returns the ids of the samples.
    pub fn ids(&self) -> &SampleIds {
        &self.ids
    }

    /// Returns the number of modalities.
    pub fn modalities(&self) -> usize {
        self.modalities
    }

    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns i of a subset, one value a sample.
    ///
    /// # Panics
    ///
    /// If the subset has a modality beyond those of the terms.
    pub fn information(&self, subset: Subset) -> &[f64] {
        assert!(subset.is_of(self.modalities), "subset {subset} of {} modalities", self.modalities);
        &self.informations[&subset]
    }

    /// Returns h of a subset, one value a sample; None if it has no surprisals.
    pub fn surprisal(&self, subset: Subset) -> Option<&[f64]> {
        self.surprisals.get(&subset).map(Vec::as_slice)
    }

    /// Returns h of a subset, one value a sample.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTerm`] if the subset has no surprisals.
    pub fn required_surprisal(&self, subset: Subset) -> Result<&[f64]> {
        self.surprisal(subset).ok_or_else(|| missing("h", subset))
    }

    /// Iterates over the subsets and their i, in the order of [`Subset::all`].
    pub fn informations(&self) -> impl ExactSizeIterator<Item = (Subset, &[f64])> {
        self.informations.iter().map(|(&subset, column)| (subset, column.as_slice()))
    }

    /// Iterates over the subsets that have surprisals and their h, in the order of [`Subset::all`].
    pub fn surprisals(&self) -> impl ExactSizeIterator<Item = (Subset, &[f64])> {
        self.surprisals.iter().map(|(&subset, column)| (subset, column.as_slice()))
    }

    /// Returns the means over all samples; NaN without samples.
    pub fn means(&self) -> SubsetMeans {
        let of = |columns: &Columns| columns.iter().map(|(&subset, column)| (subset, mean(column))).collect();
        SubsetMeans { informations: of(&self.informations), surprisals: of(&self.surprisals) }
    }

    /// Returns the terms of the given rows, in the order given.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let of = |columns: &Columns| {
            let chosen = |column: &[f64]| rows.iter().map(|&row| column[row]).collect();
            columns.iter().map(|(&subset, column)| (subset, chosen(column))).collect()
        };
        Self {
            ids: self.ids.select(rows),
            modalities: self.modalities,
            informations: of(&self.informations),
            surprisals: of(&self.surprisals),
        }
    }

    /// Returns the terms with the modalities in another order: modality k of the result is the one at the place
    /// `order[k]` here, places counted from 0.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `order` does not name every modality once.
    ///
    /// ```
    /// use lsmi_core::{SampleIds, Subset, SubsetTerms};
    ///
    /// let columns = Subset::all(2).zip([0.1, 0.2, 0.3]).map(|(subset, value)| (subset, vec![value]));
    /// let terms = SubsetTerms::new(SampleIds::rows(1), 2, columns, [])?;
    /// assert_eq!(terms.permuted(&[1, 0])?.information("1".parse()?), [0.2]);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn permuted(&self, order: &[usize]) -> Result<Self> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.modalities) {
            return Err(Error::parameter("order", "every place of a modality, once", &format!("{order:?}")));
        }
        let place_of = |member: usize| order.iter().position(|&old| old == member).unwrap_or(member);
        let of = |columns: &Columns| -> Result<Columns> {
            let renamed = |subset: Subset| Subset::from_members(subset.members().map(place_of));
            columns.iter().map(|(&subset, column)| Ok((renamed(subset)?, column.clone()))).collect()
        };
        let (informations, surprisals) = (of(&self.informations)?, of(&self.surprisals)?);
        Ok(Self { ids: self.ids.clone(), modalities: self.modalities, informations, surprisals })
    }

    /// Returns the terms of two of the modalities, at the places `a` and `b` counted from 0, as a decomposition of two
    /// takes them.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] if `a` and `b` are equal or name no modality, [`Error::MissingTerm`] if one of them has no
    /// surprisals.
    ///
    /// ```
    /// use lsmi_core::{Measure, SampleIds, Subset, SubsetTerms};
    ///
    /// // Modalities 1 and 3 carry the same half of a nat, modality 2 nothing.
    /// let half = |subset: Subset| if subset.to_string() == "2" { 0.0 } else { 0.5 };
    /// let informations = Subset::all(3).map(|subset| (subset, vec![half(subset)]));
    /// let surprisals = Subset::all(3).filter(|subset| subset.len() == 1).map(|subset| (subset, vec![2.0]));
    /// let terms = SubsetTerms::new(SampleIds::rows(1), 3, informations, surprisals)?;
    /// assert_eq!(Measure::Ccs.decompose(&terms.pair(0, 2)?, &[0]).r, [0.5]);
    /// assert_eq!(Measure::Ccs.decompose(&terms.pair(0, 1)?, &[0]).u1, [0.5]);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn pair(&self, a: usize, b: usize) -> Result<Terms> {
        if a == b || a.max(b) >= self.modalities {
            let found = format!("{a} and {b}");
            return Err(Error::parameter("a, b", "the places of two modalities, counted from 0", &found));
        }
        let (one, two) = (Subset::from_members([a])?, Subset::from_members([b])?);
        let i = |subset: Subset| self.information(subset).to_vec();
        let h = |subset: Subset| self.required_surprisal(subset).map(<[f64]>::to_vec);
        Terms::new(self.ids.clone(), h(one)?, h(two)?, i(one), i(two), i(one.union(two)))
    }
}

/// Checks that there are two to eight modalities.
pub(crate) fn check_modalities(modalities: usize) -> Result<()> {
    if (2..=Subset::MOST_MODALITIES).contains(&modalities) {
        Ok(())
    } else {
        Err(Error::parameter("modalities", "from 2 to 8", &modalities))
    }
}

fn missing(letter: &str, subset: Subset) -> Error {
    Error::MissingTerm { term: format!("{letter}{subset}") }
}

/// Returns the columns of a term by their subsets.
fn checked(
    letter: &str,
    ids: &SampleIds,
    modalities: usize,
    columns: impl IntoIterator<Item = (Subset, Vec<f64>)>,
) -> Result<Columns> {
    let mut by_subset = Columns::new();
    for (subset, column) in columns {
        let term = format!("{letter}{subset}");
        if !subset.is_of(modalities) {
            return Err(Error::parameter("subset", "of the modalities that there are", &subset));
        }
        if column.len() != ids.len() {
            return Err(Error::TermLength { term, expected: ids.len(), found: column.len() });
        }
        if let Some(row) = column.iter().position(|value| !value.is_finite()) {
            return Err(Error::TermNotFinite { term, row, id: ids.get(row).into_owned(), found: column[row] });
        }
        match by_subset.entry(subset) {
            Entry::Occupied(_) => return Err(Error::RepeatedTerm { term }),
            Entry::Vacant(entry) => entry.insert(column),
        };
    }
    Ok(by_subset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subset(name: &str) -> Subset {
        name.parse().unwrap()
    }

    /// Two samples of three modalities; row 1 has 10 more in every column.
    fn terms() -> SubsetTerms {
        let columns = |first: f64| {
            Subset::all(3).enumerate().map(move |(place, subset)| {
                let value = first + place as f64;
                (subset, vec![value, value + 10.0])
            })
        };
        SubsetTerms::new(SampleIds::from_names(["a", "b"]).unwrap(), 3, columns(0.0), columns(100.0)).unwrap()
    }

    fn with_information_of_one(column: Vec<f64>) -> Error {
        let columns = Subset::all(2).map(|subset| (subset, vec![0.0, 0.0]));
        let columns = [(subset("1"), column)].into_iter().chain(columns.skip(1));
        SubsetTerms::new(SampleIds::rows(2), 2, columns, []).unwrap_err()
    }

    #[test]
    fn wrong_columns_are_named() {
        let error = with_information_of_one(vec![0.0]);
        assert_eq!(error, Error::TermLength { term: "i1".to_owned(), expected: 2, found: 1 });
        let error = with_information_of_one(vec![0.0, f64::INFINITY]);
        let message = "`i1` of row 1 (id `1`) is inf; every term must be finite, so leave the row out or correct its \
                       features";
        assert_eq!(error.to_string(), message);

        let column = |name: &str| (subset(name), vec![0.0]);
        let new = |modalities, names: &[&str]| {
            SubsetTerms::new(SampleIds::rows(1), modalities, names.iter().map(|name| column(name)), [column("2")])
        };
        assert_eq!(new(2, &["1", "2"]).unwrap_err(), Error::MissingTerm { term: "i12".to_owned() });
        assert_eq!(new(2, &["1", "1"]).unwrap_err(), Error::RepeatedTerm { term: "i1".to_owned() });
        let error = new(2, &["1", "2", "13"]).unwrap_err();
        assert_eq!(error.to_string(), "`subset` is 13; it must be of the modalities that there are");
        for modalities in [0, 1, 9] {
            let error = new(modalities, &["1"]).unwrap_err();
            assert_eq!(error.to_string(), format!("`modalities` is {modalities}; it must be from 2 to 8"));
        }
    }

    #[test]
    fn rows_pairs_and_means_are_those_of_the_columns() {
        let terms = terms();
        assert_eq!(terms.select(&[1]).information(subset("13")), [14.0]);
        assert_eq!(terms.select(&[1, 0]).ids(), &SampleIds::from_names(["b", "a"]).unwrap());
        assert_eq!(terms.means().informations[&subset("123")], 11.0);
        assert_eq!(terms.means().surprisals[&subset("1")], 105.0);

        let pair = terms.pair(2, 0).unwrap();
        assert_eq!((pair.h1[0], pair.h2[0]), (102.0, 100.0));
        assert_eq!((pair.i1[1], pair.i2[1], pair.i12[1]), (12.0, 10.0, 14.0));
        assert!(terms.pair(1, 1).is_err() && terms.pair(0, 3).is_err());
        let bare = SubsetTerms::new(terms.ids().clone(), 3, terms.informations.clone(), []).unwrap();
        assert_eq!(bare.pair(0, 1).unwrap_err(), Error::MissingTerm { term: "h1".to_owned() });
    }

    #[test]
    fn modalities_can_be_put_in_another_order() {
        let terms = terms();
        let permuted = terms.permuted(&[2, 0, 1]).unwrap();
        for (new, old) in [("1", "3"), ("2", "1"), ("3", "2"), ("12", "13"), ("13", "23"), ("23", "12")] {
            assert_eq!(permuted.information(subset(new)), terms.information(subset(old)));
            assert_eq!(permuted.surprisal(subset(new)), terms.surprisal(subset(old)));
        }
        assert_eq!(permuted.permuted(&[1, 2, 0]).unwrap(), terms);
        assert!(terms.permuted(&[0, 1]).is_err() && terms.permuted(&[0, 1, 1]).is_err());
    }
}
