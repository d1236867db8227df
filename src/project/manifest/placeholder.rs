//! `{seed}` and `{param}` in arguments and commands.

/// What is wrong with a placeholder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// A name that has no value.
    Unknown(String),
    /// A brace without its other half.
    Unclosed,
}

/// Fills `{name}` by `value`, and turns doubled braces into single ones.
pub(crate) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, Placeholder> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            filled.push_str(brace);
            rest = after;
        } else {
            let close = rest.find('}').filter(|_| brace == "{");
            let name = &rest[..close.ok_or(Placeholder::Unclosed)?];
            filled.push_str(&value(name).ok_or_else(|| Placeholder::Unknown(name.to_owned()))?);
            rest = &rest[name.len() + 1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_doubled_braces_are_braces() {
        let value = |name: &str| (name == "seed").then(|| "7".to_owned());
        assert_eq!(fill("--seed={seed}", value).as_deref(), Ok("--seed=7"));
        assert_eq!(fill("{{seed}}", value).as_deref(), Ok("{seed}"));
        assert_eq!(fill("{depth}", value), Err(Placeholder::Unknown("depth".to_owned())));
        assert_eq!(fill("}", value), Err(Placeholder::Unclosed));
        assert_eq!(fill("{seed", value), Err(Placeholder::Unclosed));
    }
}
