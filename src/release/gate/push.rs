//! What a push is about to do, as git tells its hooks, one reference a line (githooks(5)).

use crate::project::repository::ObjectId;

/// What becomes of one reference on the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The reference there, with its full name.
    pub reference: String,
    /// What it is there now; none if it is not there.
    pub old: Option<ObjectId>,
    /// What it will be; none if it is taken away.
    pub new: Option<ObjectId>,
}

impl Update {
    /// The tag's name, if it is a tag.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.reference.strip_prefix("refs/tags/")
    }
}

/// Which hook is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Hook {
    /// Of a clone, before it pushes.
    PrePush,
    /// Of a server, before it accepts.
    PreReceive,
}

impl Hook {
    /// The name of its file.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
        }
    }

    /// Reads what git says; a line that is not of the form is an error of whoever runs the hook.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Vec<Update>> {
        text.lines().map(|line| self.update(line)).collect()
    }

    fn update(self, line: &str) -> Option<Update> {
        let words: Vec<&str> = line.split(' ').collect();
        let (old, new, reference) = match (self, words.as_slice()) {
            // `(delete)` stands in the first place of a deletion, else the local name, which decides nothing.
            (Self::PrePush, [_, new, reference, old]) | (Self::PreReceive, [old, new, reference]) => {
                (old, new, reference)
            }
            _ => return None,
        };
        let is_id = |text: &str| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_id(old) && is_id(new)).then(|| Update {
            reference: (*reference).to_owned(),
            old: ObjectId::from_hex(old),
            new: ObjectId::from_hex(new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";

    #[test]
    fn what_git_tells_is_read_in_both_forms() {
        let pushed = Hook::PrePush.read(&format!("refs/tags/v1 {ONE} refs/tags/v1 {ZERO}\n")).unwrap();
        let received = Hook::PreReceive.read(&format!("{ZERO} {ONE} refs/tags/v1\n")).unwrap();
        assert_eq!(pushed, received);
        assert_eq!(pushed[0].tag(), Some("v1"));
        assert_eq!((pushed[0].old, pushed[0].new.is_some()), (None, true));
        let deleted = Hook::PrePush.read(&format!("(delete) {ZERO} refs/tags/v1 {ONE}\n")).unwrap();
        assert_eq!((deleted[0].old.is_some(), deleted[0].new), (true, None));
    }

    #[test]
    fn what_git_would_never_say_is_not_read() {
        assert_eq!(Hook::PreReceive.read("v1\n"), None);
        assert_eq!(Hook::PrePush.read(&format!("a b refs/tags/v1 {ONE}\n")), None);
        assert_eq!(Hook::PrePush.read(""), Some(Vec::new()));
    }
}
