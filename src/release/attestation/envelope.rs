//! The DSSE envelope, version 1 (<https://github.com/secure-systems-lab/dsse>): bytes, and who signed them.
//! What the bytes say is for [`super::statement`]; whose signature counts, for [`mod@super::check`].

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use serde::Serialize;
use serde_json::Value;

use super::flaw::Flaw;
use super::json;
use super::key::{PublicKey, SigningKey};

/// The type of what is signed, which is signed with it.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The bytes.
    pub payload: Vec<u8>,
    /// Signatures of them, whoever they are by.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Whose key it says it is by. Nobody signed that, so it decides nothing.
    pub keyid: Option<String>,
    /// The signature itself.
    pub sig: Vec<u8>,
}

/// As it is written; the keys stand in this order.
#[derive(Serialize)]
struct Written {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: &'static str,
    signatures: Vec<WrittenSignature>,
}

#[derive(Serialize)]
struct WrittenSignature {
    #[serde(skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

impl Envelope {
    /// Signs bytes.
    #[must_use]
    pub fn sign(payload: Vec<u8>, key: &SigningKey) -> Self {
        let signature = Signature {
            keyid: Some(key.public().id()),
            sig: key.sign(&pre_authentication(&payload)),
        };
        Self {
            payload,
            signatures: vec![signature],
        }
    }

    /// Reads an envelope. Whether a signature is valid is not looked at.
    ///
    /// # Errors
    /// When it is no envelope, or not one of an in-toto statement, or holds no signature.
    pub fn from_text(text: &str) -> Result<Self, Flaw> {
        let value = json::parse(text.as_bytes()).map_err(|why| Flaw::NotJson { why })?;
        let missing = |what| Flaw::NotAnEnvelope { what };
        let payload_type = value
            .get("payloadType")
            .and_then(Value::as_str)
            .ok_or(missing("it has no `payloadType`"))?;
        if payload_type != PAYLOAD_TYPE {
            return Err(Flaw::PayloadType {
                found: payload_type.to_owned(),
            });
        }
        let payload = value.get("payload").and_then(bytes).ok_or(missing("it has no `payload` in base64"))?;
        let signatures = value
            .get("signatures")
            .and_then(Value::as_array)
            .ok_or(missing("it has no list `signatures`"))?;
        let signatures: Option<Vec<Signature>> = signatures.iter().map(Signature::from_json).collect();
        let signatures = signatures.ok_or(missing("one of its `signatures` has no `sig` in base64"))?;
        if signatures.is_empty() {
            return Err(Flaw::NoSignature);
        }
        Ok(Self { payload, signatures })
    }

    /// One line of JSON, without its end; the same for the same envelope.
    #[must_use]
    pub fn to_line(&self) -> String {
        let signatures = self.signatures.iter().map(|signature| WrittenSignature {
            keyid: signature.keyid.clone(),
            sig: BASE64.encode(&signature.sig),
        });
        let written = Written {
            payload: BASE64.encode(&self.payload),
            payload_type: PAYLOAD_TYPE,
            signatures: signatures.collect(),
        };
        serde_json::to_string(&written).expect("an envelope has string keys only")
    }

    /// Those of the keys by which one of the signatures is valid, each once, in the order in which they
    /// come.
    #[must_use]
    pub fn signers<'k>(&self, keys: impl IntoIterator<Item = &'k PublicKey>) -> Vec<&'k PublicKey> {
        let signed = pre_authentication(&self.payload);
        let mut signers: Vec<&PublicKey> = Vec::new();
        for key in keys {
            let is_valid = |signature: &Signature| key.verifies(&signed, &signature.sig);
            if !signers.contains(&key) && self.signatures.iter().any(is_valid) {
                signers.push(key);
            }
        }
        signers
    }

    /// Exactly the bytes that are signed.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        pre_authentication(&self.payload)
    }
}

impl Signature {
    fn from_json(value: &Value) -> Option<Self> {
        Some(Self {
            keyid: value.get("keyid").and_then(Value::as_str).map(str::to_owned),
            sig: bytes(value.get("sig")?)?,
        })
    }
}

/// Bytes in either alphabet of base64, which the format lets writers choose from.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?.as_bytes();
    [BASE64, BASE64URL, BASE64_NOPAD, BASE64URL_NOPAD]
        .iter()
        .find_map(|alphabet| alphabet.decode(text).ok())
}

/// The format's `PAE`: type and bytes, each after its length, so that no two pairs come to the same.
fn pre_authentication(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Making a key takes longer than what is tested with it.
    fn key() -> &'static SigningKey {
        static KEY: std::sync::OnceLock<SigningKey> = std::sync::OnceLock::new();
        KEY.get_or_init(SigningKey::generate)
    }

    fn is_signed(envelope: &Envelope) -> bool {
        !envelope.signers([&key().public()]).is_empty()
    }

    #[test]
    fn what_is_signed_is_the_formats_pre_authentication_encoding() {
        assert_eq!(pre_authentication(b"hello world"), b"DSSEv1 28 application/vnd.in-toto+json 11 hello world");
        assert_eq!(pre_authentication(b""), b"DSSEv1 28 application/vnd.in-toto+json 0 ");
    }

    #[test]
    fn an_envelope_is_one_line_with_its_keys_in_order() {
        let envelope = Envelope {
            payload: b"hello".to_vec(),
            signatures: vec![
                Signature {
                    keyid: Some("k".to_owned()),
                    sig: vec![0xfb, 0xff],
                },
                Signature {
                    keyid: None,
                    sig: vec![1],
                },
            ],
        };
        let line = r#"{"payload":"aGVsbG8=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"k","sig":"+/8="},{"sig":"AQ=="}]}"#;
        assert_eq!(envelope.to_line(), line);
        let other_alphabet = line.replace("+/8=", "-_8").replace("aGVsbG8=", "aGVsbG8");
        assert_eq!(Envelope::from_text(&other_alphabet), Ok(envelope));
    }

    #[test]
    fn each_key_is_a_signer_once_whatever_the_hints_say() {
        let (other, stranger) = (SigningKey::generate(), SigningKey::generate());
        let mut envelope = Envelope::sign(b"payload".to_vec(), key());
        envelope.signatures.push(envelope.signatures[0].clone());
        envelope.signatures.extend(Envelope::sign(b"payload".to_vec(), &other).signatures);
        for signature in &mut envelope.signatures {
            signature.keyid = Some(stranger.public().id());
        }
        let keys = [key().public(), stranger.public(), other.public(), key().public()];
        assert_eq!(envelope.signers(&keys), [&keys[0], &keys[2]]);
    }

    #[test]
    fn an_envelope_that_lacks_something_is_none() {
        let whole = Envelope::sign(b"{}".to_vec(), key()).to_line();
        for (from, to) in [
            ("payloadType", "payload_type"),
            ("\"payload\"", "\"load\""),
            ("signatures", "signature"),
            ("\"sig\"", "\"signed\""),
            ("\"sig\":\"", "\"sig\":\"*"),
            ("in-toto", "in-tutu"),
            ("\"payload\":\"", "\"payload\":\"e30=\",\"payload\":\""),
        ] {
            assert!(whole.contains(from));
            assert!(Envelope::from_text(&whole.replace(from, to)).is_err(), "{from} -> {to}");
        }
        let none = Envelope {
            payload: Vec::new(),
            signatures: Vec::new(),
        };
        assert_eq!(Envelope::from_text(&none.to_line()), Err(Flaw::NoSignature));
    }

    #[test]
    fn every_flipped_byte_of_payload_or_signature_is_refused() {
        let envelope = Envelope::sign(br#"{"a": [1, 2, 3]}"#.to_vec(), key());
        assert!(is_signed(&envelope));
        for at in 0..envelope.payload.len() {
            for mask in [1, 0x80, 0xff] {
                let mut changed = envelope.clone();
                changed.payload[at] ^= mask;
                assert!(!is_signed(&changed), "payload, byte {at}");
            }
        }
        for at in 0..envelope.signatures[0].sig.len() {
            for mask in [1, 0x80, 0xff] {
                let mut changed = envelope.clone();
                changed.signatures[0].sig[at] ^= mask;
                assert!(!is_signed(&changed), "signature, byte {at}");
            }
        }
        for length in 0..envelope.signatures[0].sig.len() {
            let mut changed = envelope.clone();
            changed.signatures[0].sig.truncate(length);
            assert!(!is_signed(&changed), "signature of {length} bytes");
        }
        let mut longer = envelope.clone();
        longer.signatures[0].sig.push(0);
        assert!(!is_signed(&longer));
    }

    proptest! {
        #[test]
        fn an_envelope_reads_back_from_its_line(
            payload: Vec<u8>,
            signatures in proptest::collection::vec((any::<Option<String>>(), any::<Vec<u8>>()), 1..4),
        ) {
            let signatures = signatures.into_iter().map(|(keyid, sig)| Signature { keyid, sig }).collect();
            let envelope = Envelope { payload, signatures };
            let line = envelope.to_line();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(Envelope::from_text(&line), Ok(envelope));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = Envelope::from_text(&text);
        }

        #[test]
        fn no_edit_of_the_text_makes_another_signed_statement(at in 0..400_usize, with in "[ -~]") {
            let envelope = Envelope::sign(br#"{"a": 1}"#.to_vec(), key());
            let mut line = envelope.to_line();
            let at = at % line.len();
            line.replace_range(at..=at, &with);
            // An edit of the hint, or of the bits that base64 leaves over, changes nothing that counts.
            if let Ok(read) = Envelope::from_text(&line) {
                prop_assert!(!is_signed(&read) || read.payload == envelope.payload);
            }
        }
    }
}
