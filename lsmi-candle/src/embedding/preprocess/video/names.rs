//! Names of files in natural order: numbers in them count as numbers.

use std::cmp::Ordering;

/// Compares two names piece by piece: runs of digits by their value, everything else by its characters.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left, right);
    loop {
        let ((digits_a, rest_a), (digits_b, rest_b)) = (digits(a), digits(b));
        if !digits_a.is_empty() && !digits_b.is_empty() {
            let [number_a, number_b] = [digits_a, digits_b].map(|digits| digits.trim_start_matches('0'));
            let order = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
            continue;
        }
        let (mut rest_a, mut rest_b) = (a.chars(), b.chars());
        match (rest_a.next(), rest_b.next()) {
            // Names that differ in zeros alone have an order too.
            (None, None) => return left.cmp(right),
            (first_a, first_b) if first_a == first_b => (a, b) = (rest_a.as_str(), rest_b.as_str()),
            (first_a, first_b) => return first_a.cmp(&first_b),
        }
    }
}

/// The digits at the beginning, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["frame10", "frame2", "Frame3", "frame", "frame02", "a1b2", "a1b10", "a01b3", "7", "é1"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["7", "Frame3", "a1b2", "a01b3", "a1b10", "frame", "frame02", "frame2", "frame10", "é1"]);
        let long = "9".repeat(60);
        assert_eq!(compare(&long, &format!("1{}", "0".repeat(60))), Ordering::Less);
    }
}
