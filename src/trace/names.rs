//! The names of functions, as a person writes them: no hashes, no type parameters, no closures.
//! `<linfa_trees::TreeNode<f64> as linfa::Fit>::fit::{closure#0}` is `linfa_trees::TreeNode::fit`.

/// The crates that come with the compiler.
const STANDARD: [&str; 9] = [
    "std",
    "core",
    "alloc",
    "test",
    "proc_macro",
    "std_detect",
    "panic_unwind",
    "compiler_builtins",
    "rustc_std_workspace_core",
];

/// Names are nested as deep as their types; a forged one could be deeper than a stack.
const DEEPEST: usize = 32;

/// What has no name of its own, and is not in a function that has one here.
const CLOSURE: &str = "{closure}";

/// A function's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The path, from the crate on.
    pub path: String,
    /// The crate that the function was written in, as code names it.
    pub crate_name: Option<String>,
}

/// Whether a crate comes with the compiler.
#[must_use]
pub fn is_standard(crate_name: &str) -> bool {
    STANDARD.contains(&crate_name)
}

/// Reads a name from a symbol table or from debug information.
#[must_use]
pub fn name(raw: &str) -> Name {
    let text = rustc_demangle::try_demangle(raw).map_or_else(|_| raw.to_owned(), |name| format!("{name:#}"));
    let segments = path(&text, 0);
    let crate_name = match segments.as_slice() {
        [first, _, ..] => Some((*first).to_owned()),
        _ => None,
    };
    // What is nothing but types and closures keeps the name that it has.
    let path = if segments.is_empty() { text } else { segments.join("::") };
    Name { path, crate_name }
}

/// A name that debug information gives without its path, with the path of the module that the file is:
/// `find_modal_class<usize>` of `src/decision_trees/algorithm.rs`.
#[must_use]
pub fn qualified(short: &str, crate_name: Option<&str>, file: &str) -> Name {
    let module = file.rsplit_once("src/").map_or("", |(_, module)| module).trim_end_matches(".rs");
    let modules = module.split('/').filter(|part| !matches!(*part, "" | "lib" | "main" | "mod" | "bin"));
    let mut segments: Vec<&str> = crate_name.into_iter().chain(modules).collect();
    let own = path(short, 0);
    segments.extend(own.iter());
    if own.is_empty() {
        segments.push(CLOSURE);
    }
    Name {
        path: segments.join("::"),
        crate_name: crate_name.map(str::to_owned),
    }
}

/// The segments of a path that name something.
fn path(text: &str, depth: usize) -> Vec<&str> {
    let mut found = Vec::new();
    if depth > DEEPEST {
        return found;
    }
    for (index, segment) in split(text, "::").into_iter().enumerate() {
        let inner = segment.strip_prefix('<').map(|inner| inner.strip_suffix('>').unwrap_or(inner));
        match inner {
            None if segment.starts_with('{') => {}
            None => found.push(without_parameters(segment)),
            Some(inner) => match inner.strip_prefix("impl ") {
                // The module before it says where it was written, so the last word of the type will do.
                Some(implemented) => found.extend(path(subject(implemented), depth + 1).pop()),
                None if index == 0 => found.extend(of_type(inner, depth)),
                None => {}
            },
        }
    }
    found.retain(|segment| !segment.is_empty());
    found
}

/// `Trait for Type` is about the type.
fn subject(implemented: &str) -> &str {
    bare(split(implemented, " for ").last().copied().unwrap_or_default())
}

/// `Type as Trait` is where one of the two is from, and not from the standard library if either is not.
fn of_type(text: &str, depth: usize) -> Vec<&str> {
    let parts = split(text, " as ");
    let paths: Vec<Vec<&str>> = parts.iter().map(|part| path(bare(part), depth + 1)).collect();
    let has_crate = |path: &&Vec<&str>| path.len() > 1;
    let foreign = |path: &&Vec<&str>| has_crate(path) && !path.first().is_some_and(|first| is_standard(first));
    let chosen = paths
        .iter()
        .find(foreign)
        .or_else(|| paths.iter().find(has_crate))
        .or_else(|| paths.first());
    chosen.cloned().unwrap_or_default()
}

/// A type without what refers to it.
fn bare(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let shorter = ["&", "mut ", "*const ", "*mut ", "dyn "]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix));
        match shorter {
            Some(shorter) => text = shorter.trim_start(),
            None => break,
        }
    }
    // Of what a trait object promises, the first is the trait.
    text = split(text, " + ").first().copied().unwrap_or_default();
    // Tuples, arrays and functions have no path.
    if text.starts_with(['(', '[', '!']) || text.starts_with("fn(") || text.starts_with("for<") {
        return "";
    }
    text
}

fn without_parameters(segment: &str) -> &str {
    let end = segment.find(['<', '(']).unwrap_or(segment.len());
    segment[..end].trim()
}

/// Splits where no bracket is open.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start, mut index) = (Vec::new(), 0_usize, 0, 0);
    let bytes = text.as_bytes();
    while index < bytes.len() {
        match bytes[index] {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            b'>' if index > 0 && bytes[index - 1] == b'-' => {} // the arrow of a function's type
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && bytes[index..].starts_with(separator.as_bytes()) => {
                parts.push(&text[start..index]);
                index += separator.len();
                start = index;
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_as_a_person_writes_them() {
        let cases = [
            (
                "_ZN11linfa_trees14decision_trees9algorithm16find_modal_class17h0123456789abcdefE",
                "linfa_trees::decision_trees::algorithm::find_modal_class",
            ),
            (
                "_RNvNtNtNtCsjrHSEGnQ3l9_3std3sys6random5linux19hashmap_random_keys",
                "std::sys::random::linux::hashmap_random_keys",
            ),
            ("<linfa_trees::TreeNode<F,L>>::fit::<f64, usize>", "linfa_trees::TreeNode::fit"),
            ("linfa_trees::algorithm::TreeNode<F,L>::fit::{{closure}}", "linfa_trees::algorithm::TreeNode::fit"),
            ("<linfa_trees::DecisionTree<F> as linfa::traits::Fit<A, B>>::fit", "linfa_trees::DecisionTree::fit"),
            ("<alloc::vec::Vec<T> as linfa::traits::Fit>::fit", "linfa::traits::Fit::fit"),
            ("<core::iter::Map<I, F> as core::iter::Iterator>::fold::<(), {closure#0}>", "core::iter::Map::fold"),
            (
                "core::ops::function::impls::<impl core::ops::function::FnOnce<A> for &mut F>::call_once",
                "core::ops::function::impls::F::call_once",
            ),
            (
                "linfa::dataset::impl_dataset::<impl linfa::dataset::DatasetBase<R, T>>::frequencies",
                "linfa::dataset::impl_dataset::DatasetBase::frequencies",
            ),
            (
                "<&mut (dyn rand_core::RngCore + core::marker::Send) as rand_core::RngCore>::next_u32",
                "rand_core::RngCore::next_u32",
            ),
            (
                "<fn(usize) -> app::T as core::ops::FnOnce<(usize,)>>::call_once::{shim:vtable#0}",
                "core::ops::FnOnce::call_once",
            ),
            ("<[f64] as app::Sum>::sum", "app::Sum::sum"),
            ("__libc_start_main", "__libc_start_main"),
            ("{closure#0}", "{closure#0}"),
        ];
        for (raw, expected) in cases {
            let Name { path, crate_name } = name(raw);
            assert_eq!(path, expected, "{raw}");
            let first = expected.split_once("::").map(|(first, _)| first.to_owned());
            assert_eq!(crate_name, first, "{raw}");
        }
    }

    #[test]
    fn a_short_name_gets_the_path_of_its_file() {
        let path = |short, crate_name, file| qualified(short, crate_name, file).path;
        assert_eq!(
            path("find_modal_class<usize>", Some("linfa_trees"), "src/decision_trees/algorithm.rs"),
            "linfa_trees::decision_trees::algorithm::find_modal_class"
        );
        assert_eq!(path("now", Some("app"), "src/clock/mod.rs"), "app::clock::now");
        assert_eq!(path("train", None, "src/main.rs"), "train");
        assert_eq!(path("{closure#0}<usize>", Some("app"), "crates/app/src/lib.rs"), "app::{closure}");
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in ".{0,60}|[a<>(){}:& ]{0,60}", file in ".{0,20}") {
            let _ = name(&text);
            let _ = qualified(&text, Some("app"), &file);
        }
    }
}
