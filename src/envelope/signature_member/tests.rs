//! Signature members at the edges of what they may hold.

use apkvet_fixtures::{Archive, Header};

use super::*;

const NAME: &str = ".SIGN.RSA256.x.rsa.pub";

fn read(archive: Archive) -> Result<Vec<Signature>, SignatureMemberError> {
    let limits = Limits { signature_size: 8, signature_entries: 2, ..Limits::default() };
    let mut member = SignatureMember::new(&limits, 0, 0);
    member.inflated(&archive.bytes());
    member.finish()
}

fn signature(body: &[u8]) -> Archive {
    Archive::default().entry(&Header::file(NAME), body)
}

#[test]
fn a_member_without_a_signature_is_refused() {
    assert_eq!(read(Archive::default()), Err(SignatureMemberError::Empty));
    assert_eq!(read(signature(b"x")).map(|signatures| signatures.len()), Ok(1));
}

#[test]
fn sizes_and_numbers_are_bounded_to_the_byte() {
    assert!(read(signature(&[0; 8])).is_ok());
    let too_large = SignatureMemberError::Limit(Limits::reached("signature-size", 8));
    assert_eq!(read(signature(&[0; 9])), Err(too_large));
    let more = |names: &[&str]| {
        read(names.iter().fold(signature(b"x"), |archive, name| archive.entry(&Header::file(*name), b"x")))
    };
    assert_eq!(more(&[".SIGN.RSA.x.rsa.pub"]).map(|signatures| signatures.len()), Ok(2));
    let too_many = SignatureMemberError::Limit(Limits::reached("signature-entries", 2));
    assert_eq!(more(&[".SIGN.RSA.x.rsa.pub", ".SIGN.RSA512.x.rsa.pub"]), Err(too_many));
}

#[test]
fn nothing_hides_in_a_link_name_whether_it_is_seen_or_not() {
    for link in [&b"seen"[..], b"\0unseen"] {
        let header = Header { link: link.to_vec(), ..Header::file(NAME) };
        assert_eq!(read(Archive::default().entry(&header, b"x")), Err(SignatureMemberError::HiddenBytes));
    }
}
