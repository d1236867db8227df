//! The files that keys are kept in, with the manners of ssh: the private one is its owner's alone, the
//! public one stands beside it, and neither is ever written over.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::{PublicKey, SigningKey, Stored, Unusable};
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::text::quote;

/// No key is larger.
const MOST: u64 = 64 * 1024;

/// Asks for a passphrase; none if there is nobody to ask.
pub type Passphrase<'a> = dyn FnMut() -> Result<Option<Zeroizing<String>>> + 'a;

impl SigningKey {
    /// Reads a private key, and asks for its passphrase if it has one.
    ///
    /// # Errors
    /// When there is no file, others may read it, it holds no private key on P-256, or the passphrase is
    /// another or not to be had.
    pub fn read(path: &Path, passphrase: &mut Passphrase<'_>) -> Result<Self> {
        match load(path)? {
            Stored::Private(key) => Ok(key),
            Stored::Encrypted(key) => {
                let passphrase = passphrase()?.ok_or_else(|| {
                    let what = format!("{} has a passphrase, and none was given", path.display());
                    Error::new(what).code(ExitCode::Usage)
                })?;
                key.open(&passphrase).map_err(|why| refusal(path, &why))
            }
            Stored::Public(_) => Err(Error::new(format!("{} is a public key, which cannot sign", path.display()))
                .hint("give the private one; its file has the same name without `.pub`")),
        }
    }

    /// Writes the private key, which only its owner can read, and the public one beside it.
    ///
    /// # Errors
    /// When one of the two is there already or cannot be written; what was written of them is gone then.
    pub fn write(&self, path: &Path, passphrase: Option<&str>) -> Result<()> {
        let beside = public_path(path);
        if beside.symlink_metadata().is_ok() {
            return Err(in_the_way(&beside));
        }
        let private = create(path, 0o600, &self.to_pem(passphrase))?;
        let public = create(&beside, 0o644, &self.public().to_pem())?;
        private.keep();
        public.keep();
        Ok(())
    }
}

/// Where the public key is that belongs to a private one.
#[must_use]
pub fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// The public key of a file, whichever half it holds. Of an encrypted key it is the one beside it, if that
/// is there.
///
/// # Errors
/// As [`SigningKey::read`].
pub fn read_public(path: &Path, passphrase: &mut Passphrase<'_>) -> Result<PublicKey> {
    match load(path)? {
        Stored::Public(key) => Ok(key),
        Stored::Private(key) => Ok(key.public()),
        Stored::Encrypted(_) => match load(&public_path(path)) {
            Ok(Stored::Public(key)) => Ok(key),
            _ => SigningKey::read(path, passphrase).map(|key| key.public()),
        },
    }
}

/// Reads what there is, and refuses a private key that others can read.
fn load(path: &Path) -> Result<Stored> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let make = format!("`cargo repro key new --output {}` makes one there", typed(path));
            Error::new(format!("there is no key at {}", path.display())).hint(make)
        }
        _ => Error::io("open", path, &error),
    })?;
    let mode = file.metadata().at("look at", path)?.permissions().mode() & 0o777;
    // A buffer that grows leaves copies of itself behind in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MOST).unwrap_or(0) + 1));
    (&mut file).take(MOST).read_to_end(&mut bytes).at("read", path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refusal(path, &Unusable::NotPem))?;
    if Stored::is_secret(text) && mode & 0o077 != 0 {
        let what = format!("the permissions {mode:04o} of the private key {} are too open", path.display());
        return Err(Error::new(what).hint(format!("`chmod 600 {}`; others could have read it", typed(path))));
    }
    Stored::from_text(text).map_err(|why| refusal(path, &why))
}

/// A file that was just made; it goes again unless it is kept.
struct Made(Option<PathBuf>);

impl Made {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // What cannot be removed is half a key, which reading refuses.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn create(path: &Path, mode: u32, text: &str) -> Result<Made> {
    let created = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = created.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => in_the_way(path),
        _ => Error::io("write", path, &error),
    })?;
    let made = Made(Some(path.to_path_buf()));
    // Whatever the umask leaves of it: a key that its owner cannot read is of no use.
    file.set_permissions(Permissions::from_mode(mode)).at("set the permissions of", path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).at("write", path)?;
    Ok(made)
}

fn in_the_way(path: &Path) -> Error {
    Error::new(format!("there is a file at {} already, and no key is written over", path.display()))
        .hint("name another place with `--output PATH`")
}

fn typed(path: &Path) -> String {
    quote::shell(&path.to_string_lossy())
}

/// What is wrong with the key in a file, in words.
fn refusal(path: &Path, why: &Unusable) -> Error {
    const MAKE: &str = "`cargo repro key new` makes one that can be used";
    let (path, typed) = (path.display(), typed(path));
    match why {
        Unusable::NotPem => Error::new(format!("{path} holds no key in PEM")).hint(MAKE),
        Unusable::NotAKey { label } => Error::new(format!("{path} holds no key but a {label}")).hint(MAKE),
        Unusable::OtherKind { kind } => {
            Error::new(format!("the key in {path} is of another kind ({kind}); this tool signs with ECDSA on P-256"))
                .hint(MAKE)
        }
        Unusable::OldEncryption => Error::new(format!("{path} is encrypted in a way from before PKCS#8"))
            .hint(format!("`openssl pkcs8 -topk8 -in {typed} -out NEW.pem` turns it into one that can be read")),
        Unusable::UnknownEncryption => Error::new(format!("{path} is encrypted in a way that this tool cannot read"))
            .hint(format!("`openssl pkcs8 -topk8 -in {typed} -out NEW.pem` encrypts it as is usual now")),
        Unusable::Malformed { why } => Error::new(format!("the key in {path} is broken")).context(why.clone()),
        Unusable::WrongPassphrase => Error::new(format!("this is not the passphrase of {path}")),
    }
}
