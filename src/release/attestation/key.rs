//! Keys: ECDSA on P-256 with SHA-256, in the formats that everybody's tools read and write. The files that
//! they are kept in are [`super::key_file`]'s.

use data_encoding::BASE64;
use p256::NistP256;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::elliptic_curve::Generate as _;
use pkcs8::der::oid::AssociatedOid as _;
use pkcs8::{
    DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, EncryptedPrivateKeyInfoRef, LineEnding,
    ObjectIdentifier, PrivateKeyInfoRef, SecretDocument,
};
use zeroize::Zeroizing;

use super::pem::{self, Block};
use crate::digest::Digest;

/// Whom a signature is by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// What signs. It is forgotten, down to its bytes in memory, when it is dropped.
pub struct SigningKey(p256::ecdsa::SigningKey);

/// A key as it was found in a text.
pub enum Stored {
    /// The half that everybody may have.
    Public(PublicKey),
    /// The other one, as it is.
    Private(SigningKey),
    /// The other one, behind a passphrase.
    Encrypted(Encrypted),
}

/// A private key behind a passphrase.
pub struct Encrypted(SecretDocument);

/// Why a text is no key that this tool can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// There is no PEM in it.
    NotPem,
    /// It is PEM, but of no key.
    NotAKey {
        /// What it says it is.
        label: String,
    },
    /// It is a key, but not on P-256.
    OtherKind {
        /// What it is.
        kind: String,
    },
    /// It is encrypted as OpenSSL did before PKCS#8.
    OldEncryption,
    /// It is encrypted by a method that this tool does not know.
    UnknownEncryption,
    /// It breaks the format that it says it has.
    Malformed {
        /// Where.
        why: String,
    },
    /// This is not its passphrase.
    WrongPassphrase,
}

impl PublicKey {
    /// From PEM, or from the one line that a policy has.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let key = match pem::find(text) {
            Some(block) if block.label == "PUBLIC KEY" => VerifyingKey::from_public_key_pem(block.text).ok()?,
            Some(_) => return None,
            None => VerifyingKey::from_public_key_der(&BASE64.decode(text.trim().as_bytes()).ok()?).ok()?,
        };
        Some(Self(key))
    }

    /// SHA-256 of its `SubjectPublicKeyInfo`, in hex: what others call its fingerprint or key id.
    #[must_use]
    pub fn id(&self) -> String {
        Digest::of(self.der()).hex()
    }

    /// Its `SubjectPublicKeyInfo` in base64: PEM without its first and last line and its breaks.
    #[must_use]
    pub fn line(&self) -> String {
        BASE64.encode(&self.der())
    }

    /// As PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).expect("a point of the curve has an encoding")
    }

    /// Whether it is by this key that these bytes were so signed.
    #[must_use]
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        DerSignature::try_from(signature).is_ok_and(|signature| self.0.verify(bytes, &signature).is_ok())
    }

    /// Always the same for one key, in whichever form it was read.
    fn der(&self) -> Vec<u8> {
        self.0.to_public_key_der().expect("a point of the curve has an encoding").into_vec()
    }
}

impl SigningKey {
    /// A new one, from the system's entropy.
    #[must_use]
    pub fn generate() -> Self {
        Self(p256::ecdsa::SigningKey::generate())
    }

    /// Its other half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    /// Signs bytes: ECDSA over their SHA-256, as ASN.1 DER. The same bytes get the same signature
    /// (RFC 6979), so no bad random number can give the key away.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.0.sign(bytes);
        signature.as_bytes().to_vec()
    }

    /// As PKCS#8 in PEM; with a passphrase, encrypted (PBES2: scrypt, AES-256-CBC).
    #[must_use]
    pub fn to_pem(&self, passphrase: Option<&str>) -> Zeroizing<String> {
        let pem = match passphrase {
            Some(passphrase) => self.0.to_pkcs8_encrypted_pem(passphrase, LineEnding::LF),
            None => self.0.to_pkcs8_pem(LineEnding::LF),
        };
        pem.expect("a key of the curve has an encoding, and the system has entropy")
    }
}

impl std::fmt::Debug for SigningKey {
    /// Whose it is, and nothing of what is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public().id()).finish()
    }
}

impl Stored {
    /// Whether a text seems to hold what only its owner may read.
    #[must_use]
    pub fn is_secret(text: &str) -> bool {
        pem::find(text).is_some_and(|block| block.label.ends_with("PRIVATE KEY"))
    }

    /// Reads PKCS#8, plain and encrypted, SEC1, and public keys.
    ///
    /// # Errors
    /// When it is none of these, or a key on another curve.
    pub fn from_text(text: &str) -> Result<Self, Unusable> {
        let Some(block) = pem::find(text) else {
            return PublicKey::from_text(text).map(Self::Public).ok_or(Unusable::NotPem);
        };
        match block.label {
            "PUBLIC KEY" => public(block).map(Self::Public),
            "PRIVATE KEY" => from_pkcs8(document(block)?.as_bytes()).map(Self::Private),
            "ENCRYPTED PRIVATE KEY" => Ok(Self::Encrypted(Encrypted(document(block)?))),
            "EC PRIVATE KEY" if block.text.contains("Proc-Type:") => Err(Unusable::OldEncryption),
            "EC PRIVATE KEY" => from_sec1(document(block)?.as_bytes()).map(Self::Private),
            label => Err(match label.strip_suffix(" PRIVATE KEY").or_else(|| label.strip_suffix(" PUBLIC KEY")) {
                Some(kind) => Unusable::OtherKind { kind: kind.to_owned() },
                None => Unusable::NotAKey {
                    label: label.to_owned(),
                },
            }),
        }
    }
}

impl Encrypted {
    /// Opens it.
    ///
    /// # Errors
    /// When the passphrase is another, or what is behind it is of no use.
    pub fn open(&self, passphrase: &str) -> Result<SigningKey, Unusable> {
        let info = EncryptedPrivateKeyInfoRef::try_from(self.0.as_bytes()).map_err(malformed)?;
        let opened = info.decrypt(passphrase).map_err(|error| match error {
            pkcs8::Error::EncryptedPrivateKey(
                pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }
                | pkcs8::pkcs5::Error::NoPbes1CryptSupport
                | pkcs8::pkcs5::Error::AlgorithmParametersInvalid { .. },
            ) => Unusable::UnknownEncryption,
            // One wrong passphrase in 256 gives something that only looks decrypted.
            _ => Unusable::WrongPassphrase,
        })?;
        if PrivateKeyInfoRef::try_from(opened.as_bytes()).is_err() {
            return Err(Unusable::WrongPassphrase);
        }
        from_pkcs8(opened.as_bytes())
    }
}

fn document(block: Block<'_>) -> Result<SecretDocument, Unusable> {
    SecretDocument::from_pem(block.text).map(|(_, document)| document).map_err(malformed)
}

fn public(block: Block<'_>) -> Result<PublicKey, Unusable> {
    let document = document(block)?;
    let info = pkcs8::SubjectPublicKeyInfoRef::try_from(document.as_bytes()).map_err(malformed)?;
    expect_p256(info.algorithm)?;
    VerifyingKey::try_from(info).map(PublicKey).map_err(malformed)
}

fn from_pkcs8(der: &[u8]) -> Result<SigningKey, Unusable> {
    let info = PrivateKeyInfoRef::try_from(der).map_err(malformed)?;
    expect_p256(info.algorithm)?;
    p256::ecdsa::SigningKey::try_from(info).map(SigningKey).map_err(malformed)
}

fn from_sec1(der: &[u8]) -> Result<SigningKey, Unusable> {
    let key = sec1::EcPrivateKey::try_from(der).map_err(malformed)?;
    if let Some(curve) = key.parameters.and_then(|parameters| parameters.named_curve())
        && curve != NistP256::OID
    {
        return Err(Unusable::OtherKind { kind: kind_of(curve) });
    }
    let key = p256::SecretKey::try_from(key).map_err(malformed)?;
    Ok(SigningKey(key.into()))
}

fn expect_p256(algorithm: pkcs8::AlgorithmIdentifierRef<'_>) -> Result<(), Unusable> {
    let kind = match algorithm.parameters_oid() {
        Ok(curve) if algorithm.oid == p256::elliptic_curve::ALGORITHM_OID => curve,
        _ => algorithm.oid,
    };
    if kind == NistP256::OID {
        Ok(())
    } else {
        Err(Unusable::OtherKind { kind: kind_of(kind) })
    }
}

/// What people call it.
fn kind_of(identifier: ObjectIdentifier) -> String {
    const KNOWN: [(&str, &str); 9] = [
        ("1.2.840.113549.1.1.1", "RSA"),
        ("1.2.840.113549.1.1.10", "RSA-PSS"),
        ("1.2.840.10045.2.1", "an unnamed elliptic curve"),
        ("1.3.101.112", "Ed25519"),
        ("1.3.101.113", "Ed448"),
        ("1.3.132.0.34", "P-384"),
        ("1.3.132.0.35", "P-521"),
        ("1.3.132.0.10", "secp256k1"),
        ("1.2.840.10045.3.1.1", "P-192"),
    ];
    let text = identifier.to_string();
    KNOWN
        .iter()
        .find(|(known, _)| *known == text)
        .map_or(text, |(_, name)| (*name).to_owned())
}

fn malformed(error: impl std::fmt::Display) -> Unusable {
    Unusable::Malformed { why: error.to_string() }
}
