//! What an API token may do of what its company's account may: scopes, few and plain.

use super::authorize::{Object, Verb};
use crate::store::TokenScope;

/// The scope that something asks for.
pub(super) fn needed(verb: Verb, object: Object) -> TokenScope {
    match (object, verb) {
        (Object::Capture | Object::Export | Object::Doubt, _) => TokenScope::Captures,
        (_, Verb::Read) => TokenScope::Read,
        (
            Object::Employee | Object::License | Object::Profile | Object::Project | Object::Device,
            _,
        ) => TokenScope::Write,
        _ => TokenScope::People,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_apart_and_what_changes_people_is_not_what_changes_work() {
        assert_eq!(needed(Verb::Read, Object::Employee), TokenScope::Read);
        assert_eq!(needed(Verb::Read, Object::Capture), TokenScope::Captures);
        assert_eq!(needed(Verb::Read, Object::Export), TokenScope::Captures);
        assert_eq!(needed(Verb::Change, Object::Employee), TokenScope::Write);
        assert_eq!(needed(Verb::Create, Object::User), TokenScope::People);
        assert_eq!(needed(Verb::Delete, Object::Person), TokenScope::People);
        assert_eq!(needed(Verb::Change, Object::Company), TokenScope::People);
    }
}
