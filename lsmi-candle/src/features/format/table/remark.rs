//! Text where numbers should be.

use crate::features::array::Unusable;

/// Characters of a text that are shown.
const SHOWN: usize = 40;

/// Describes a text among numbers, and how to make numbers of it.
pub(in crate::features::format) fn remark_on(row: usize, text: &str) -> Unusable {
    let in_one_line: Vec<&str> = text.split_whitespace().collect();
    let in_one_line = in_one_line.join(" ");
    let start: String = in_one_line.chars().take(SHOWN).collect();
    let what = format!("text, such as `{start}` at row {row},");
    if text.starts_with('[') && text.contains("...") {
        return Unusable::with_mend(
            format!("lists that NumPy shortened, such as `{in_one_line}` at row {row}: numbers are missing from it,"),
            "features need all of their numbers: write the arrays themselves, e.g. np.savez('all.npz', x1=x1, x2=x2, y=y), or x1.tolist() in place of x1",
        );
    }
    let has_comma = text.split_once(',').is_some_and(|(whole, rest)| {
        whole.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    if has_comma {
        return Unusable::with_mend(
            what,
            "numbers need points, not commas: write them so, e.g. df.to_csv(path, decimal='.')",
        );
    }
    what.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_among_numbers_are_told_apart() {
        let mend = |text: &str| remark_on(0, text).mend.unwrap_or_default();
        assert!(mend("[0.5 1.0 ... 2.0]").contains("np.savez") && mend("-1,5").contains("need points"));
        assert_eq!((mend("cat"), mend("1,a"), mend("[a]")), (String::new(), String::new(), String::new()));
        assert!(remark_on(3, "[0.5\n 1.0 ...\n 2.0]").what.contains("`[0.5 1.0 ... 2.0]` at row 3"));
    }
}
