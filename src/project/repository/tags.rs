//! Tags as git keeps them: the object under a name, and what it says of itself. Whether such a tag may be
//! a release is [`crate::release::gate`]'s to say.

use super::{Commit, ObjectId, Repository, unreadable};
use crate::error::{Error, Result};

/// What stands under the name of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tagged {
    /// An annotated tag.
    Annotated(Annotation),
    /// A lightweight tag: the commit itself.
    Lightweight(Commit),
    /// Something that is neither a tag nor a commit: `tree` or `blob`.
    Unfit(&'static str),
}

/// What an annotated tag says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The name that it was made under.
    pub name: String,
    /// Its message, with the signature if it has one.
    pub message: String,
    /// What it points to.
    pub target: Target,
}

/// What a tag points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A commit that is here.
    Commit(Commit),
    /// A commit that is not here, as in a shallow clone.
    Absent(ObjectId),
    /// Something else: `tree`, `blob` or `tag`.
    Unfit(&'static str),
}

impl Repository {
    /// The object that a reference of this full name points to.
    #[must_use]
    pub fn reference(&self, name: &str) -> Option<ObjectId> {
        let reference = self.git.find_reference(name).ok()?.resolve().ok()?;
        reference.target().map(ObjectId)
    }

    /// The commit of a protected reference: a branch, one of a remote, `HEAD`, or a full name or id. Never a tag
    /// unless by its full name, and never by git's rules for short names: whoever can push a tag called
    /// `origin/main`, or even `refs/heads/main`, would else rule.
    ///
    /// # Errors
    /// When there is none.
    pub fn protected(&self, name: &str) -> Result<Commit> {
        let full = (name == "HEAD" || name.starts_with("refs/")).then(|| name.to_owned());
        // Branches first: into a server others can push `refs/remotes/`, too.
        let names = full.into_iter().chain(["heads", "remotes"].map(|kind| format!("refs/{kind}/{name}")));
        let named = names
            .filter_map(|name| self.git.find_reference(&name).ok()?.peel_to_commit().ok())
            .map(|commit| Commit(commit.id()))
            .next();
        let by_id = || self.commit(name).filter(|commit| commit.to_string() == name);
        by_id().or(named).ok_or_else(|| {
            Error::new(format!("`{name}` names no branch of this repository or of its remotes")).hint(
                "`git fetch` brings those of a remote; a tag that is meant has its full name, as `refs/tags/NAME`",
            )
        })
    }

    /// What an object is, as a tag; none if it is not here.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tagged(&self, object: ObjectId) -> Result<Option<Tagged>> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let found = match self.git.find_object(object.0, None) {
            Ok(found) => found,
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(broken(error)),
        };
        let Some(tag) = found.as_tag() else {
            return Ok(Some(match found.kind() {
                Some(git2::ObjectType::Commit) => Tagged::Lightweight(Commit(object.0)),
                Some(git2::ObjectType::Tree) => Tagged::Unfit("tree"),
                _ => Tagged::Unfit("blob"),
            }));
        };
        let target = match tag.target_type() {
            Some(git2::ObjectType::Commit) if self.git.find_commit(tag.target_id()).is_ok() => {
                Target::Commit(Commit(tag.target_id()))
            }
            Some(git2::ObjectType::Commit) => Target::Absent(ObjectId(tag.target_id())),
            Some(git2::ObjectType::Tree) => Target::Unfit("tree"),
            Some(git2::ObjectType::Tag) => Target::Unfit("tag"),
            _ => Target::Unfit("blob"),
        };
        Ok(Some(Tagged::Annotated(Annotation {
            name: String::from_utf8_lossy(tag.name_bytes()).into_owned(),
            message: String::from_utf8_lossy(tag.message_bytes().unwrap_or_default()).into_owned(),
            target,
        })))
    }

    /// Every tag by its name, with the object under it.
    ///
    /// # Errors
    /// When the references cannot be read.
    pub fn tags(&self) -> Result<Vec<(String, ObjectId)>> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let mut tags = Vec::new();
        for reference in self.git.references_glob("refs/tags/*").map_err(broken)? {
            let reference = reference.map_err(broken)?;
            if let (Ok(name), Some(target)) = (reference.shorthand(), reference.target()) {
                tags.push((name.to_owned(), ObjectId(target)));
            }
        }
        tags.sort();
        Ok(tags)
    }

    /// The commit that each tag leads to, with its name, in the order of the names.
    ///
    /// # Errors
    /// When the references cannot be read.
    pub fn tagged_commits(&self) -> Result<Vec<(Commit, String)>> {
        let peeled = |(name, object): (String, ObjectId)| {
            let commit = self.git.find_object(object.0, None).and_then(|object| object.peel_to_commit());
            Some((Commit(commit.ok()?.id()), name))
        };
        Ok(self.tags()?.into_iter().filter_map(peeled).collect())
    }

    /// Gives an object the name of a tag that is not there yet. No hook is asked, whoever put it there.
    ///
    /// # Errors
    /// When there is one of that name, or it cannot be written; in words.
    pub fn name_tag(&self, name: &str, object: ObjectId) -> std::result::Result<(), String> {
        let named = self.git.reference(&format!("refs/tags/{name}"), object.0, false, "");
        named.map(drop).map_err(|error| match error.code() {
            git2::ErrorCode::Exists => format!("tag '{name}' already exists"),
            _ => error.message().to_owned(),
        })
    }

    /// Takes a tag away again, if it is still this object.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_tag(&self, name: &str, object: ObjectId) -> Result<()> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let mut reference = self.git.find_reference(&format!("refs/tags/{name}")).map_err(broken)?;
        if reference.target() == Some(object.0) {
            reference.delete().map_err(broken)?;
        }
        Ok(())
    }

    /// Whether git would take this as a tag's name.
    #[must_use]
    pub fn is_tag_name(name: &str) -> bool {
        git2::Tag::is_valid_name(name)
    }
}
