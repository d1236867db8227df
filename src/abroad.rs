//! What is told to readers on other machines: where something lies on this one is nothing that they could look up,
//! and may be nobody's business. Pure; which paths there are is gathered by whoever reports.

/// Paths of this machine, each with what it is called elsewhere.
#[derive(Debug, Default)]
pub struct Abroad(Vec<(String, &'static str)>);

impl Abroad {
    /// These paths by these names; a longer one is known before a shorter one that it lies in.
    #[must_use]
    pub fn of(paths: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut known: Vec<(String, &str)> = paths.into_iter().filter(|(path, _)| path.len() > 1).collect();
        known.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        Self(known)
    }

    /// The text with the names in place of the paths; one without a name is left out, and what lies in it is told
    /// from there.
    #[must_use]
    pub fn tell(&self, text: &str) -> String {
        let mut told = text.to_owned();
        for (path, name) in &self.0 {
            let (inside, within) = match *name {
                "" => (format!("{path}/"), String::new()),
                name => (format!("{path}/"), format!("{name}/")),
            };
            told = told.replace(&inside, &within);
            told = replace_whole(&told, path, if name.is_empty() { "." } else { name });
        }
        told
    }
}

/// Replaces a path where it ends: not at the beginning of a longer name.
fn replace_whole(text: &str, path: &str, name: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(path) {
        let after = &rest[at + path.len()..];
        told += &rest[..at];
        let goes_on = after.starts_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        // A full stop may end the sentence.
        let is_stop = after.starts_with('.') && !after[1..].starts_with(|c: char| c.is_alphanumeric());
        told += if goes_on && !is_stop { path } else { name };
        rest = after;
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_machine_are_told_by_what_they_are() {
        let paths = [
            ("/home/ada".to_owned(), "~"),
            ("/home/ada/wine".to_owned(), ""),
            ("/home/ada/.cargo".to_owned(), "$CARGO_HOME"),
            ("/".to_owned(), "root"),
        ];
        let abroad = Abroad::of(paths);
        for (text, told) in [
            ("there is no /home/ada/wine/models/repro.lock", "there is no models/repro.lock"),
            ("could not read /home/ada/wine: no", "could not read .: no"),
            ("/home/ada/.cargo/config.toml", "$CARGO_HOME/config.toml"),
            ("`/home/ada/bin/rustc` failed", "`~/bin/rustc` failed"),
            ("/home/adam and /home/ada.", "/home/adam and ~."),
            ("/usr/lib", "/usr/lib"),
        ] {
            assert_eq!(abroad.tell(text), told);
        }
    }
}
