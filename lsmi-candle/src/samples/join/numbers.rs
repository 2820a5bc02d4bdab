//! The order of files whose names differ in one number: part-2 before part-10, which a shell lists the other way round.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why numbered files are not the parts of a whole.
#[derive(Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Two files have one number.
    #[error("{} and {}: both have the number {number}; leave one out", .first.display(), .second.display())]
    Twice {
        /// The number.
        number: u128,
        /// The first file with it.
        first: PathBuf,
        /// The next.
        second: PathBuf,
    },
    /// Numbers are missing.
    #[error("the numbers go from {} ({}) to {} ({}), but those between are missing; give the files of all parts", .before.0, .before.1.display(), .after.0, .after.1.display())]
    Gap {
        /// The number before the gap, and its file.
        before: (u128, PathBuf),
        /// The number behind it, and its file.
        after: (u128, PathBuf),
    },
    /// The first numbers are missing.
    #[error("the numbers begin at {number} ({}), but parts are counted from 1 or from 0; give the files of all parts", .file.display())]
    Start {
        /// The least number.
        number: u128,
        /// Its file.
        file: PathBuf,
    },
}

/// Puts files in the order of their numbers, where their names differ in one run of digits and in nothing else. Returns `None`
/// where they differ otherwise.
///
/// ```
/// use std::path::{Path, PathBuf};
/// use lsmi_candle::samples::join::by_number;
///
/// let names = ["part-1.csv", "part-10.csv", "part-2.csv"].map(PathBuf::from);
/// assert_eq!(by_number(&names[..1]), Ok(None));
/// assert!(by_number(&names).is_err(), "those from 3 to 9 are missing");
/// let names = ["part-2.csv", "part-1.csv"].map(PathBuf::from);
/// assert_eq!(by_number(&names).unwrap().unwrap()[0], Path::new("part-1.csv"));
/// ```
///
/// # Errors
/// [`NumberError`] if a number is there twice, or if one is missing between others or at the start.
pub fn by_number(paths: &[PathBuf]) -> Result<Option<Vec<&Path>>, NumberError> {
    let Some(mut numbered) = numbered(paths) else { return Ok(None) };
    numbered.sort_unstable();
    if let Some([(number, first), (_, second)]) = numbered.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(NumberError::Twice { number: *number, first: (*first).to_owned(), second: (*second).to_owned() });
    }
    if let Some([before, after]) = numbered.windows(2).find(|pair| pair[0].0 + 1 < pair[1].0) {
        let owned = |(number, path): &(u128, &Path)| (*number, (*path).to_owned());
        return Err(NumberError::Gap { before: owned(before), after: owned(after) });
    }
    if let Some((number, file)) = numbered.first().filter(|(number, _)| *number > 1) {
        return Err(NumberError::Start { number: *number, file: (*file).to_owned() });
    }
    Ok(Some(numbered.into_iter().map(|(_, path)| path).collect()))
}

/// The number of each file, if their names differ in one run of digits only.
fn numbered(paths: &[PathBuf]) -> Option<Vec<(u128, &Path)>> {
    let names: Vec<Vec<&str>> = paths.iter().map(|path| path.to_str().map(runs)).collect::<Option<_>>()?;
    let first = names.first()?;
    if names.iter().any(|name| name.len() != first.len()) {
        return None;
    }
    let mut differing = (0..first.len()).filter(|run| names.iter().any(|name| name[*run] != first[*run]));
    let (run, None) = (differing.next()?, differing.next()) else { return None };
    let numbers = names.iter().map(|name| name[run].parse().ok()).collect::<Option<Vec<u128>>>()?;
    Some(numbers.into_iter().zip(paths.iter().map(PathBuf::as_path)).collect())
}

/// Cuts a text into runs of digits and what is between them, which may be empty: every second run, from the second on, is of digits.
fn runs(text: &str) -> Vec<&str> {
    let (mut runs, mut rest, mut is_digits) = (Vec::new(), text, false);
    while !rest.is_empty() {
        let end = rest.find(|character: char| character.is_ascii_digit() != is_digits).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        runs.push(run);
        (rest, is_digits) = (after, !is_digits);
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    proptest! {
        #[test]
        fn any_order_is_put_right(
            numbers in (1_usize..40).prop_flat_map(|n| Just((1..=n).collect::<Vec<_>>()).prop_shuffle()),
            is_padded: bool,
        ) {
            let name = |number: usize| if is_padded { format!("a1/p{number:03}.csv") } else { format!("a1/p{number}.csv") };
            let shuffled: Vec<PathBuf> = numbers.iter().map(|number| name(*number).into()).collect();
            let sorted: Vec<PathBuf> = (1..=numbers.len()).map(|number| name(number).into()).collect();
            let found = by_number(&shuffled).unwrap();
            if numbers.len() == 1 {
                prop_assert_eq!(found, None);
            } else {
                prop_assert_eq!(found.unwrap(), sorted.iter().map(PathBuf::as_path).collect::<Vec<_>>());
            }
        }

        #[test]
        fn runs_make_up_the_text(text in "[0-9a-c/.]{0,12}") {
            prop_assert_eq!(runs(&text).concat(), text.clone());
            prop_assert!(runs(&text).iter().skip(1).step_by(2).all(|run| run.bytes().all(|byte| byte.is_ascii_digit())));
        }
    }

    #[test]
    fn names_that_differ_otherwise_have_no_order() {
        for names in [
            &["a.csv", "b.csv"][..],
            &["1-1.csv", "2-2.csv"],
            &["part-1.csv", "part-2.jsonl"],
            &["part.csv", "part-2.csv"],
            &["1.csv"],
            &[],
        ] {
            assert_eq!(by_number(&paths(names)), Ok(None), "{names:?}");
        }
    }

    #[test]
    fn a_number_is_there_once_and_none_is_missing() {
        let error = |names: &[&str]| by_number(&paths(names)).unwrap_err().to_string();
        assert!(error(&["p1.csv", "p01.csv"]).contains("both have the number 1"));
        assert!(error(&["p1.csv", "p2.csv", "p5.csv"]).starts_with("the numbers go from 2 (p2.csv) to 5 (p5.csv)"));
        assert!(error(&["p3.csv", "p2.csv"]).starts_with("the numbers begin at 2 (p2.csv)"));
        assert!(by_number(&paths(&["p1.csv", "p0.csv"])).unwrap().is_some());
    }
}
