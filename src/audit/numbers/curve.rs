//! Whether a point lies on its curve.

use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;

use crate::keys::{Curve, EcPublicKey};

/// y^2 = x^3 - 3x + b modulo p, in hexadecimal digits.
struct Equation {
    p: &'static str,
    b: &'static str,
}

/// FIPS 186-4, appendix D.1.2.
const P256: Equation = Equation {
    p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
};
const P384: Equation = Equation {
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
};
const P521: Equation = Equation {
    p: "1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
        ffffffffffffffffffffffffffffff",
    b: "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df\
        883d2c34f1ef451fd46b503f00",
};

/// Whether the point of a key lies on its curve; `None` if the curve is not one of the three.
pub(in crate::audit) fn is_on_curve(key: &EcPublicKey) -> Option<bool> {
    let (equation, length) = match key.curve() {
        Curve::P256 => (P256, 32),
        Curve::P384 => (P384, 48),
        Curve::P521 => (P521, 66),
        _ => return None,
    };
    Some(lies(&equation, length, key.point()).unwrap_or(false))
}

fn lies(equation: &Equation, length: usize, point: &[u8]) -> Option<bool> {
    let (&form, coordinates) = point.split_first()?;
    let p = UBig::from_str_radix(equation.p, 16).ok()?;
    let ring = ConstDivisor::new(p.clone());
    let element = |bytes: &[u8]| Some(UBig::from_be_bytes(bytes)).filter(|value| *value < p);
    let (x, y) = coordinates.split_at_checked(length)?;
    let x = ring.reduce(element(x)?);
    let b = ring.reduce(UBig::from_str_radix(equation.b, 16).ok()?);
    let right = x.sqr() * &x - &x - &x - &x + b;
    match (form, y.len()) {
        (4, found) if found == length => Some(ring.reduce(element(y)?).sqr() == right),
        // Half a point: it is one if the right side has a root. All three p are 3 modulo 4.
        (2 | 3, 0) => {
            let root = right.pow(&((p + UBig::ONE) >> 2));
            Some(root.sqr() == right)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base points of the curves (the same appendix), without their y.
    const X256: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    const Y256: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    const X384: &str =
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7";
    const X521: &str = "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127\
                        a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66";

    fn key(curve: Curve, form: u8, digits: &str) -> EcPublicKey {
        let half = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = digits.as_bytes().chunks(2).map(half).collect();
        EcPublicKey::new(curve, &[&[form][..], &bytes].concat()).unwrap()
    }

    #[test]
    fn the_base_points_lie_on_their_curves() {
        assert_eq!(is_on_curve(&key(Curve::P256, 4, &format!("{X256}{Y256}"))), Some(true));
        for (curve, x) in [(Curve::P256, X256), (Curve::P384, X384), (Curve::P521, X521)] {
            assert_eq!(is_on_curve(&key(curve, 2, x)), Some(true), "{curve:?}");
        }
    }

    #[test]
    fn a_point_that_differs_in_one_bit_does_not() {
        let moved = format!("{X256}{}", Y256.replacen('4', "5", 1));
        assert_eq!(is_on_curve(&key(Curve::P256, 4, &moved)), Some(false));
        assert_eq!(is_on_curve(&key(Curve::P256, 4, X256)), Some(false));
        assert_eq!(is_on_curve(&key(Curve::P256, 7, &format!("{X256}{Y256}"))), Some(false));
        assert_eq!(is_on_curve(&key(Curve::P256, 2, &"f".repeat(64))), Some(false));
    }
}
