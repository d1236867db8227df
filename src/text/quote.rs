//! Text from outside, quoted: for YAML, for the shell, and for expressions of GitHub's.

/// A scalar of YAML that stands on one line whatever the text holds: YAML takes JSON's strings.
#[must_use]
pub fn yaml(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            _ if is_plain(letter) => quoted.push(letter),
            _ => quoted.push_str(&format!("\\U{:08x}", u32::from(letter))),
        }
    }
    quoted + "\""
}

/// What a reader of YAML must take as it stands, and a person can tell apart: no control characters, line
/// separators, marks of direction or byte order.
#[must_use]
pub fn is_plain(letter: char) -> bool {
    let hidden = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !letter.is_control() && !hidden && !matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A scalar that GitHub takes as text: it would evaluate what stands between `${{` and `}}`, wherever it came from.
#[must_use]
pub fn github(text: &str) -> String {
    yaml(&text.replace("${{", "${{ '${{' }}"))
}

/// One word for the shell.
#[must_use]
pub fn shell(text: &str) -> String {
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@+^~".contains(letter);
    // A tilde in front is somebody's home.
    if !text.is_empty() && !text.starts_with('~') && text.chars().all(is_safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
