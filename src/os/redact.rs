//! What is told to readers on other machines: where something lies on this one is nothing that they could look up,
//! and may be nobody's business. Pure; which paths there are is gathered by whoever reports.

/// Paths of this machine, each with what it is called elsewhere.
#[derive(Debug, Default)]
pub struct Redaction(Vec<(String, &'static str)>);

impl Redaction {
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
    pub fn apply(&self, text: &str) -> String {
        let told = text.to_owned();
        self.0.iter().fold(told, |told, (path, name)| replaced(&told, path, name))
    }
}

/// A remote of git as others may know it: one on this machine by its last name, any other without who may read it.
#[must_use]
pub fn remote(remote: &str) -> String {
    let path = remote.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case("file"));
    let path = path
        .map(|(_, path)| path)
        .or_else(|| Some(remote).filter(|it| it.starts_with(['/', '.', '~'])));
    let last = path.map(|path| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned());
    last.unwrap_or_else(|| without_users(remote))
}

/// A text whose addresses name nobody who may read what is there: neither a password, nor a user who may be a token, nor
/// what is asked for behind a question mark.
#[must_use]
pub fn without_users(text: &str) -> String {
    const MARK: &str = "://";
    let (mut told, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(MARK) {
        let (head, tail) = rest.split_at(at + MARK.len());
        let end = tail.find(|c: char| c.is_whitespace() || "'\"`<>".contains(c)).unwrap_or(tail.len());
        let (address, after) = tail.split_at(end);
        let authority = address.find(['/', '?', '#']).unwrap_or(address.len());
        let host = address[..authority].rfind('@').map_or(0, |at| at + 1);
        told += head;
        // Where only keys open, the user is part of the address.
        if host > 0 && head.to_ascii_lowercase().ends_with("ssh://") {
            told += address[..host - 1].split(':').next().unwrap_or_default();
            told.push('@');
        }
        told += address[host..].split(['?', '#']).next().unwrap_or_default();
        rest = after;
    }
    told + rest
}

/// Replaces a path where it stands by itself, not within a longer one.
fn replaced(text: &str, path: &str, name: &str) -> String {
    let is_of_a_path = |c: char| c.is_alphanumeric() || "-_.~$/".contains(c);
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(path) {
        let (before, after) = (&rest[..at], &rest[at + path.len()..]);
        told += before;
        let begins = !told.ends_with(is_of_a_path);
        // A full stop may end the sentence.
        let is_stop = after.starts_with('.') && !after[1..].starts_with(is_of_a_path);
        match after.strip_prefix('/') {
            Some(inner) if begins && name.is_empty() => {
                rest = inner;
                continue;
            }
            Some(_) if begins => told += name,
            None if begins && (is_stop || !after.starts_with(is_of_a_path)) => {
                told += if name.is_empty() { "." } else { name };
            }
            _ => told += path,
        }
        rest = after;
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_are_told_without_who_may_read_them_and_where_they_are_here() {
        for (given, told) in [
            ("origin", "origin"),
            ("git@host.example:ada/wine.git", "git@host.example:ada/wine.git"),
            ("https://host.example/wine.git", "https://host.example/wine.git"),
            ("https://ada:secret@host.example/wine.git", "https://host.example/wine.git"),
            ("HTTPS://secret@host.example", "HTTPS://host.example"),
            ("ssh://ada:a@b@host.example:22/x@y", "ssh://ada@host.example:22/x@y"),
            ("ssh://git@host.example/wine", "ssh://git@host.example/wine"),
            ("https://host.example/wine?private_token=secret#secret", "https://host.example/wine"),
            ("/home/ada/wine.git/", "wine.git"),
            ("../ada/wine.git", "wine.git"),
            ("~/wine.git", "wine.git"),
            ("File:///home/ada/wine.git", "wine.git"),
        ] {
            assert_eq!(remote(given), told);
        }
        assert_eq!(
            without_users("fatal: could not read Password for 'http://secret@h': no, http://b@h:80/c"),
            "fatal: could not read Password for 'http://h': no, http://h:80/c"
        );
    }

    #[test]
    fn paths_of_this_machine_are_told_by_what_they_are() {
        let paths = [
            ("/home/ada".to_owned(), "~"),
            ("/home/ada/wine".to_owned(), ""),
            ("/home/ada/.cargo".to_owned(), "$CARGO_HOME"),
            ("/".to_owned(), "root"),
        ];
        let redaction = Redaction::of(paths);
        for (text, told) in [
            ("there is no /home/ada/wine/models/repro.lock", "there is no models/repro.lock"),
            ("could not read /home/ada/wine: no", "could not read .: no"),
            ("/home/ada/.cargo/config.toml", "$CARGO_HOME/config.toml"),
            ("`/home/ada/bin/rustc` failed", "`~/bin/rustc` failed"),
            ("/home/adam and /home/ada.", "/home/adam and ~."),
            ("/usr/lib", "/usr/lib"),
            ("models/home/ada/final.bin", "models/home/ada/final.bin"),
            ("x:/home/ada/wine/a, /home/ada/wine/b", "x:a, b"),
        ] {
            assert_eq!(redaction.apply(text), told);
        }
    }
}
