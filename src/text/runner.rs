//! What a runner of CI takes for a command in what is printed (workflow commands of GitHub Actions).

/// The same text with nothing in it that a runner takes for a command: `::name::` at the start of a line, and
/// `##[name]` anywhere. An invisible character keeps them apart.
#[must_use]
pub fn harmless(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let blank = line.len() - line.trim_start().len();
        let (indent, rest) = line.split_at(blank);
        if rest.starts_with("::") {
            format!("{indent}:\u{200b}{}", &rest[1..])
        } else {
            line.to_owned()
        }
    });
    lines.collect::<String>().replace("##[", "#\u{200b}#[")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_harmless_is_a_command(text in "([ \t]{0,2}(::|##\\[|[a-z:#\\[ ]{0,6})\n?){0,20}") {
            let harmless = harmless(&text);
            let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
            prop_assert!(!harmless.lines().any(is_command), "{:?}", harmless);
            prop_assert_eq!(harmless.replace('\u{200b}', ""), text);
        }
    }

    #[test]
    fn no_line_is_a_command() {
        let hostile = "::error::x\n  ::add-mask::y\n\t##[set-output name=a]b\nfine: a::b\n";
        let harmless = harmless(hostile);
        assert!(
            harmless.lines().all(|line| !line.trim_start().starts_with("::") && !line.contains("##[")),
            "{harmless}"
        );
        assert!(harmless.contains("fine: a::b"));
    }
}
