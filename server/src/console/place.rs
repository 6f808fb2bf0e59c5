//! A place in a list, as a word for an address: the last name and id that were shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::ApiError;

/// Writes a place.
pub(super) fn write(name: &str, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{id} {name}"))
}

/// Reads the name and the id of a place; what is none leads nowhere.
pub(super) fn read(text: &str) -> Result<(String, String), ApiError> {
    let wrong = || ApiError::not_found("page");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    let (id, name) = text.split_once(' ').ok_or_else(wrong)?;
    Ok((name.to_owned(), id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_survives_the_address() {
        let id = "0193f2a4-5b6c-7d8e-9fa0-b1c2d3e4f5a6";
        let name = "Åsa & Söhne <x>";
        let read_again = read(&write(name, id)).unwrap();
        assert_eq!(read_again, (name.to_owned(), id.to_owned()));
        assert!(read("!").is_err() && read("YQ").is_err());
    }
}
