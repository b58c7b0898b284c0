//! RSA keys that are weak on purpose, keys of other kinds, and their near misses.

use dashu_int::UBig;
use jiff::civil::date;
use sha2::Digest as _;

use crate::audit::numbers::testing::{inverse, large, next_prime, prime, roca_prime, smooth_prime};
use crate::audit::testing::{Store, rsa};
use crate::audit::{Blocklist, Depth, Strictness};
use crate::keys::{Curve, EcPublicKey, KnownKeys, PublicKey, RsaPublicKey};

/// An honest modulus of about so many bits.
fn honest(bits: usize, seed: u64) -> UBig {
    prime(bits / 2, seed) * prime(bits / 2, seed + 1000)
}

/// A number of exactly so many bits without small factors or patterns; only its size matters.
fn of_bits(bits: usize) -> UBig {
    let number = (honest(2048, 1) << 2048 | honest(2048, 2)) >> (4096 - bits);
    (number | UBig::ONE) | (UBig::ONE << (bits - 1))
}

fn ids(store: &Store) -> Vec<String> {
    store.found().iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn has(modulus: &UBig, id: &str) -> bool {
    Store::of(modulus).all().iter().any(|line| line.contains(id))
}

#[test]
fn an_honest_key_has_no_finding() {
    assert_eq!(ids(&Store::of(&honest(2048, 1))), [""; 0]);
}

#[test]
fn sizes_are_told_at_their_bounds() {
    for (bits, small, middling, odd) in [
        (1023, true, false, true),
        (2040, true, false, false),
        (2047, true, false, true),
        (2048, false, true, false),
        (3064, false, true, false),
        (3072, false, false, false),
        (3073, false, false, true),
    ] {
        let n = of_bits(bits);
        let found = (has(&n, "error rsa-small"), has(&n, "info rsa-2048"), has(&n, "warn rsa-size-odd"));
        assert_eq!(found, (small, middling, odd), "{bits}");
    }
}

#[test]
fn what_a_private_person_can_factor_is_said_so() {
    let message = |bits| {
        let findings = Store::of(&of_bits(bits)).audit().findings;
        findings.into_iter().find(|finding| finding.id.as_str() == "rsa-small").unwrap().message
    };
    assert!(message(1016).contains("private person") && !message(1024).contains("private person"));
}

#[test]
fn the_day_and_the_policy_decide_on_2048_bits() {
    for (year, strictness, expected) in [
        (2028, Strictness::Default, "info"),
        (2029, Strictness::Default, "warn"),
        (2031, Strictness::Default, "warn"),
        (2026, Strictness::Strict, "warn"),
        (2030, Strictness::Strict, "warn"),
        (2031, Strictness::Strict, "error"),
    ] {
        let mut store = Store::of(&honest(2048, 1));
        (store.as_of, store.strictness) = (date(year, 1, 1), strictness);
        assert!(store.all().contains(&format!("{expected} rsa-2048 k/x.rsa.pub")), "{year} {strictness:?}");
    }
}

#[test]
fn keys_that_openssl_refuses_are_told() {
    let unverifiable = |n: &UBig, exponent: &[u8]| {
        let key = PublicKey::Rsa(RsaPublicKey::new(&n.to_be_bytes(), exponent));
        Store::default().key("k/x.rsa.pub", &key).all().iter().any(|line| line.contains("rsa-unverifiable"))
    };
    let n = honest(2048, 1);
    assert!(unverifiable(&((UBig::ONE << 16_384) + UBig::ONE), &[1, 0, 1]));
    assert!(!unverifiable(&((UBig::ONE << 16_383) + UBig::ONE), &[1, 0, 1]));
    assert!(unverifiable(&n, &n.to_be_bytes()));
    assert!(!unverifiable(&n, &(&n - UBig::from(2_u8)).to_be_bytes()));
    assert!(unverifiable(&of_bits(3080), &[1; 9]));
    assert!(!unverifiable(&of_bits(3072), &[1; 9]));
    assert!(!unverifiable(&of_bits(3080), &[1; 8]));
}

#[test]
fn exponents_are_judged_by_their_danger() {
    let n = honest(2048, 1);
    for (exponent, expected) in [
        (0, "error rsa-exponent"),
        (1, "error rsa-exponent"),
        (2, "error rsa-exponent"),
        (65_538, "error rsa-exponent"),
        (3, "warn rsa-exponent"),
        (65_535, "warn rsa-exponent"),
        (65_537, ""),
        (0xffff_ffff, ""),
        (0x1_0000_0001, "warn rsa-exponent"),
    ] {
        let store = Store::default().key("k/x.rsa.pub", &rsa(&n, exponent));
        let found = ids(&store).into_iter().find(|line| line.contains("rsa-exponent")).unwrap_or_default();
        assert_eq!(found, expected, "{exponent}");
    }
}

#[test]
fn moduli_that_are_no_products_of_two_large_primes_are_fake() {
    let p = prime(1024, 7);
    for (modulus, shape) in [
        (UBig::ZERO, "none"),
        (honest(2048, 1) * 2_u8, "small-factor"),
        (&p * 3_u8, "small-factor"),
        (&p * 65_521_u32, "small-factor"),
        (prime(2048, 8), "prime"),
        (p.pow(2), "power"),
        (prime(700, 9).pow(3), "power"),
    ] {
        let findings = Store::of(&modulus).audit().findings;
        let found: Vec<_> = findings.iter().filter(|finding| finding.id.as_str() == "rsa-modulus").collect();
        assert_eq!(found.len(), 1, "{shape}: {findings:?}");
        assert_eq!(found[0].detail["shape"], shape);
    }
    assert!(!has(&(&p * 65_537_u32), "rsa-modulus"));
    assert!(!has(&(&p * next_prime(&(&p + (UBig::ONE << 900)))), "rsa-modulus"));
}

#[test]
fn close_primes_are_found_also_at_small_ratios() {
    let p = prime(1024, 3);
    assert!(has(&(&p * next_prime(&p)), "error rsa-close-primes"));
    assert!(has(&(&p * next_prime(&(&p * 5_u8 / 7_u8))), "error rsa-close-primes"));
    assert!(!has(&(&p * next_prime(&(&p * 5_u8 / 9_u8))), "rsa-close-primes"));
    // A difference of 525 bits takes more than a hundred rounds, and not more than a hundred thousand.
    let apart = Store::of(&(&p * next_prime(&(&p + (UBig::ONE << 520_usize)))));
    assert_eq!(ids(&apart), [""; 0]);
    let deep = Store { depth: Depth::Deep, ..apart };
    assert_eq!(ids(&deep), ["error rsa-close-primes"]);
}

#[test]
fn the_generator_of_roca_is_recognised() {
    assert!(has(&(roca_prime(1024, 1) * roca_prime(1024, 2)), "error rsa-roca"));
    assert!(!has(&(roca_prime(1024, 1) * prime(1024, 2)), "rsa-roca"));
}

#[test]
fn shared_primes_are_found_among_the_files_and_with_known_keys() {
    let (p, q, r) = (prime(1024, 1), prime(1024, 2), prime(1024, 3));
    let store = |b: &UBig| {
        let honest = honest(2048, 50);
        let store = Store::of(&(&p * &q)).key("k/y.rsa.pub", &rsa(b, 65_537));
        store.key("k/z.rsa.pub", &rsa(&honest, 65_537))
    };
    assert_eq!(store(&(&p * &r)).found(), ["error rsa-shared k/x.rsa.pub", "error rsa-shared k/y.rsa.pub"]);
    assert_eq!(store(&(prime(1024, 4) * &r)).found(), [""; 0]);
    // A list of known keys with one that shares p.
    let shared = rsa(&(&p * &r), 65_537);
    let json = format!(
        r#"{{"schema":"apk-known-keys/1","date":"2026-01-01","keys":[{{"names":["k.rsa.pub"],"origin":"o","status":"current",
        "spki_sha256":"{}","modulus_hex":"{}","exponent":65537}}]}}"#,
        shared.fingerprint().digest(),
        (&p * &r).in_radix(16)
    );
    let known = KnownKeys::parse(json.as_bytes()).unwrap();
    let store = Store { known, ..Store::of(&(&p * &q)) };
    assert_eq!(store.found(), ["error rsa-shared k/x.rsa.pub"]);
}

#[test]
fn one_modulus_with_two_exponents_is_shared_and_the_same_key_twice_is_not() {
    let n = honest(2048, 1);
    let two = Store::of(&n).key("k/y.rsa.pub", &rsa(&n, 65_539));
    assert_eq!(two.found(), ["error rsa-shared k/x.rsa.pub", "error rsa-shared k/y.rsa.pub"]);
    let same = Store::of(&n).key("k/y.rsa.pub", &rsa(&n, 65_537));
    assert_eq!(same.found(), ["info id-duplicate k/x.rsa.pub"]);
}

#[test]
fn smooth_primes_are_found_when_asked_for() {
    let store =
        |largest| Store { depth: Depth::Deep, ..Store::of(&(smooth_prime(1024, largest) * prime(1024, 2))) };
    assert!(ids(&store(199_999)).contains(&"error rsa-smooth".to_owned()));
    assert!(!ids(&store(200_003)).contains(&"error rsa-smooth".to_owned()));
    let usual = Store { depth: Depth::Usual, ..store(199_999) };
    assert!(!ids(&usual).contains(&"error rsa-smooth".to_owned()));
}

#[test]
fn a_small_private_exponent_is_read_off_the_public_one() {
    let (p, q) = (prime(1024, 1), prime(1024, 2));
    let order = (&p - UBig::ONE) * (&q - UBig::ONE);
    for (bits, found) in [(400, true), (700, false)] {
        let public = inverse(&prime(bits, 4), &order).unwrap();
        let key = PublicKey::Rsa(RsaPublicKey::new(&(&p * &q).to_be_bytes(), &public.to_be_bytes()));
        let store = Store::default().key("k/x.rsa.pub", &key);
        assert_eq!(ids(&store).contains(&"error rsa-smooth".to_owned()), found, "{bits}");
    }
}

#[test]
fn moduli_that_do_not_look_random_are_told() {
    let mut bytes = large(1).to_be_bytes().to_vec();
    bytes.copy_within(0..8, 120);
    assert!(has(&UBig::from_be_bytes(&bytes), "warn rsa-structure"));
    bytes[127] ^= 1;
    assert!(!has(&UBig::from_be_bytes(&bytes), "rsa-structure"));
}

#[test]
fn a_block_list_names_its_keys_and_no_others() {
    let n = honest(2048, 1);
    let digest: [u8; 32] = sha2::Sha256::digest(n.to_be_bytes()).into();
    let mut entry = [5; 16];
    entry[..15].copy_from_slice(&digest[..15]);
    let mut store = Store::of(&n);
    store.blocklists = vec![Blocklist::new("list", &entry).unwrap()];
    assert_eq!(store.found(), ["error key-published k/x.rsa.pub"]);
    entry[14] ^= 1;
    store.blocklists = vec![Blocklist::new("list", &entry).unwrap()];
    assert_eq!(store.found(), [""; 0]);
}

#[test]
fn published_keys_are_told_with_the_place_of_their_private_half() {
    let known = KnownKeys::builtin();
    for name in ["test.pem.pub", "testkey-62a9ada3.rsa.pub", "melange.rsa.pub"] {
        for key in known.by_name(name) {
            let store = Store::default().key("k/any.rsa.pub", key.key().unwrap());
            let finding = store.audit().findings.remove(0);
            assert_eq!(finding.id.as_str(), "key-published", "{name}");
            assert!(finding.message.contains(&key.private_key_public_at()[0]));
        }
    }
    let alpine = known.keys().iter().find(|key| key.origin() == "alpine").unwrap();
    let store = Store::default().key("k/any.rsa.pub", alpine.key().unwrap());
    assert!(!store.all().iter().any(|line| line.contains("key-published")));
}

/// The base point of P-256, compressed.
const POINT: [u8; 33] = [
    2, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77,
    0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
];

#[test]
fn curves_are_for_v3_only_and_points_must_lie_on_them() {
    let key = |point: &[u8]| PublicKey::Ec(EcPublicKey::new(Curve::P256, point).unwrap());
    let good = Store::default().key("k/x.pub", &key(&POINT));
    assert_eq!(good.found(), ["info ec-curve k/x.pub"]);
    let named = Store::default().key("k/x.rsa.pub", &key(&POINT));
    assert_eq!(named.found(), ["warn name-type k/x.rsa.pub", "info ec-curve k/x.rsa.pub"]);
    let bad = Store::default().key("k/x.pub", &key(&[&[2][..], &[0xff; 32]].concat()));
    assert_eq!(bad.found(), ["error ec-curve k/x.pub"]);
}

/// A key in PEM from its algorithm identifier and its bytes.
fn pem(algorithm: &[u8], key: &[u8]) -> String {
    use base64::Engine;
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let bits = [&[3, length(key) + 1, 0][..], key].concat();
    let inner = [&[0x30, length(algorithm)][..], algorithm, &bits].concat();
    let body =
        base64::engine::general_purpose::STANDARD.encode([&[0x30, length(&inner)][..], &inner].concat());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

#[test]
fn other_curves_and_other_kinds_of_keys_are_told_apart() {
    let ec = [0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let secp256k1 = [&ec[..], &[6, 5, 0x2b, 0x81, 4, 0, 10]].concat();
    assert_eq!(Store::default().file("k/x.pub", pem(&secp256k1, &POINT)).found(), ["warn ec-curve k/x.pub"]);
    let explicit = [&ec[..], &[0x30, 0]].concat();
    assert_eq!(Store::default().file("k/x.pub", pem(&explicit, &POINT)).found(), ["error ec-curve k/x.pub"]);
    let ed25519 = pem(&[6, 3, 0x2b, 0x65, 0x70], &[7; 32]);
    assert_eq!(Store::default().file("k/x.pub", ed25519).found(), ["error alg-never k/x.pub"]);
}
