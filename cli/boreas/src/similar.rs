//! Names that are nearly right, and what is probably meant.

/// A name so much alike is offered instead of one that does not exist.
const ALIKE_MIN: f64 = 0.75;

/// `; is NAME meant?` for a name that is nearly one of these, else nothing.
pub fn meant(given: &str, names: &[impl AsRef<str>]) -> String {
    best(given, names.iter().map(AsRef::as_ref)).map_or_else(String::new, |name| format!("; is {name} meant?"))
}

/// The name most like the given one, if any is like it.
pub fn best<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = names.filter(|name| *name != given).map(|name| (likeness(name, given), name));
    alike.filter(|(alike, _)| *alike >= ALIKE_MIN).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Short names differ by one letter of few: there the count of typing errors says more.
fn likeness(name: &str, given: &str) -> f64 {
    let one_off = strsim::damerau_levenshtein(name, given) <= 1;
    strsim::jaro_winkler(name, given).max(if one_off { ALIKE_MIN } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_right_are_offered() {
        let names = ["transfer", "issue", "to", "from"];
        for (given, expected) in [("tranfer", "transfer"), ("tu", "to"), ("form", "from"), ("issuer", "issue")] {
            assert_eq!(meant(given, &names), format!("; is {expected} meant?"));
        }
        assert_eq!(meant("quantity", &names), "");
        assert_eq!(meant("to", &["to"]), "");
    }
}
