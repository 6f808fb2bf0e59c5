//! The ID token (OpenID Connect Core, section 3.1.3.7): a JWS by one of the provider's keys, for this
//! client, of this log-in, and of now.

use glasshour_protocol::jws::from_base64url;
use ring::signature;
use serde::Deserialize;

/// How far the provider's clock may be off, seconds.
const SKEW_S: i64 = 60;

/// What a token says of a person.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    /// The person, at the provider.
    pub(super) sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The provider's public keys (RFC 7517).
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Keys {
    #[serde(default)]
    keys: Vec<Key>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Key {
    #[serde(default)]
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    used_for: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

/// What a token is held against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now_s: i64,
}

/// Why a token does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IdTokenError {
    #[error("the ID token is no JWS")]
    Malformed,
    #[error("the ID token is signed in a way, or by a key, that is not the provider's")]
    Key,
    #[error("the ID token's signature does not hold")]
    Signature,
    #[error("the ID token is from another issuer")]
    Issuer,
    #[error("the ID token is for another client")]
    Audience,
    #[error("the ID token is of another log-in")]
    Nonce,
    #[error("the ID token is over")]
    Expired,
}

/// Checks a token; nothing of it is believed before the signature holds.
pub(super) fn verify(
    token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<Claims, IdTokenError> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(IdTokenError::Malformed);
    };
    let bytes = |text: &str| from_base64url(text).map_err(|_| IdTokenError::Malformed);
    let head: Header =
        serde_json::from_slice(&bytes(header)?).map_err(|_| IdTokenError::Malformed)?;
    let signed = format!("{header}.{payload}");
    let signature = bytes(signature)?;
    let fitting = keys.keys.iter().filter(|key| key.fits(&head));
    let mut tried = 0;
    let held = fitting
        .inspect(|_| tried += 1)
        .any(|key| key.verifies(&head.alg, signed.as_bytes(), &signature));
    if !held {
        return Err(match tried {
            0 => IdTokenError::Key,
            _ => IdTokenError::Signature,
        });
    }
    let claims: Claims =
        serde_json::from_slice(&bytes(payload)?).map_err(|_| IdTokenError::Malformed)?;
    claims.hold(expected)?;
    Ok(claims)
}

impl Claims {
    fn hold(&self, expected: &Expected<'_>) -> Result<(), IdTokenError> {
        if self.iss != expected.issuer {
            return Err(IdTokenError::Issuer);
        }
        let (among, alone) = match &self.aud {
            Audience::One(one) => (one == expected.client_id, true),
            Audience::Several(all) => (
                all.iter().any(|one| one == expected.client_id),
                all.len() == 1,
            ),
        };
        let azp = self.azp.as_deref();
        let authorized = match azp {
            Some(party) => party == expected.client_id,
            None => alone,
        };
        if !among || !authorized {
            return Err(IdTokenError::Audience);
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err(IdTokenError::Nonce);
        }
        if self.exp.saturating_add(SKEW_S) <= expected.now_s {
            return Err(IdTokenError::Expired);
        }
        Ok(())
    }
}

impl Key {
    fn fits(&self, header: &Header) -> bool {
        let kind = match header.alg.as_str() {
            "RS256" => self.kty == "RSA",
            "ES256" => self.kty == "EC" && self.crv == "P-256",
            "EdDSA" => self.kty == "OKP" && self.crv == "Ed25519",
            // Neither `none` nor a shared secret is a provider's signature.
            _ => false,
        };
        kind && self.used_for.as_deref().is_none_or(|used| used == "sig")
            && self.alg.as_deref().is_none_or(|alg| alg == header.alg)
            && (header.kid.is_none() || self.kid.is_none() || self.kid == header.kid)
    }

    fn verifies(&self, alg: &str, signed: &[u8], signature: &[u8]) -> bool {
        let bytes = |text: &str| from_base64url(text).unwrap_or_default();
        match alg {
            "RS256" => signature::RsaPublicKeyComponents {
                n: bytes(&self.n),
                e: bytes(&self.e),
            }
            .verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature)
            .is_ok(),
            "ES256" => {
                let mut point = vec![4];
                point.extend(bytes(&self.x));
                point.extend(bytes(&self.y));
                signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(signed, signature)
                    .is_ok()
            }
            "EdDSA" => signature::UnparsedPublicKey::new(&signature::ED25519, bytes(&self.x))
                .verify(signed, signature)
                .is_ok(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};
    use glasshour_protocol::jws::base64url;
    use serde_json::{Value, json};

    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn keys() -> Keys {
        let x = base64url(key().verifying_key().as_bytes());
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "x": x});
        serde_json::from_value(json!({"keys": [key]})).unwrap()
    }

    fn token(header: &Value, claims: &Value, by: &SigningKey) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = base64url(&by.sign(signed.as_bytes()).to_bytes());
        format!("{signed}.{signature}")
    }

    fn good() -> Value {
        json!({"iss": "https://id.example", "sub": "s", "aud": "glasshour", "exp": 2_000,
            "nonce": "n", "email": "jo@acme.example", "email_verified": true})
    }

    fn check(header: &Value, claims: &Value, by: &SigningKey) -> Result<Claims, IdTokenError> {
        let expected = Expected {
            issuer: "https://id.example",
            client_id: "glasshour",
            nonce: "n",
            now_s: 1_000,
        };
        verify(&token(header, claims, by), &keys(), &expected)
    }

    #[test]
    fn a_token_of_the_provider_for_this_client_and_log_in_holds() {
        let header = json!({"alg": "EdDSA", "kid": "k1"});
        let claims = check(&header, &good(), &key()).unwrap();
        assert_eq!(
            (claims.sub.as_str(), claims.email_verified),
            ("s", Some(true))
        );
    }

    #[test]
    fn anything_else_does_not_and_says_why() {
        let header = json!({"alg": "EdDSA", "kid": "k1"});
        let changed = |field: &str, value: Value| {
            let mut claims = good();
            claims[field] = value;
            check(&header, &claims, &key()).unwrap_err()
        };
        assert_eq!(
            changed("iss", json!("https://evil.example")),
            IdTokenError::Issuer
        );
        assert_eq!(changed("aud", json!("another")), IdTokenError::Audience);
        let two = json!(["glasshour", "another"]);
        assert_eq!(changed("aud", two), IdTokenError::Audience, "without azp");
        assert_eq!(changed("azp", json!("another")), IdTokenError::Audience);
        assert_eq!(changed("nonce", json!("m")), IdTokenError::Nonce);
        assert_eq!(changed("nonce", json!(null)), IdTokenError::Nonce);
        assert_eq!(changed("exp", json!(900)), IdTokenError::Expired);

        let stranger = SigningKey::from_bytes(&[8; 32]);
        let forged = check(&header, &good(), &stranger);
        assert_eq!(forged.unwrap_err(), IdTokenError::Signature);
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256", "kid": "k1"}),
            json!({"alg": "RS256", "kid": "k1"}),
            json!({"alg": "EdDSA", "kid": "k2"}),
        ] {
            let error = check(&header, &good(), &key()).unwrap_err();
            assert_eq!(error, IdTokenError::Key, "{header}");
        }
        let expected = Expected {
            issuer: "",
            client_id: "",
            nonce: "",
            now_s: 0,
        };
        for junk in ["", "a.b", "a.b.c", "a.b.c.d"] {
            let error = verify(junk, &keys(), &expected).unwrap_err();
            assert_eq!(error, IdTokenError::Malformed, "{junk}");
        }
    }
}
