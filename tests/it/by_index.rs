use apkvet::container::Scratch;
use apkvet::keys::read_key;
use apkvet::unverified::{Keep, PackageClaims, ReadOptions, Subject, read};
use apkvet::verify::{
    IndexEntries, Judgement, Keyring, Known, Policy, Proof, SignatureDemand, TrustedKey, Via, verify_index,
    verify_package,
};
use apkvet_fixtures::{FakeKey, IndexBuilder, Label, Package, PackageBuilder};

/// A keyring with key `a`, and an index signed by it.
struct Repository {
    keyring: Keyring,
    entries: IndexEntries,
}

impl Repository {
    fn of(packages: &[&Package]) -> Self {
        let index = packages
            .iter()
            .fold(IndexBuilder::default(), |index, package| index.package("hello", "1.0-r0", package, ""));
        Self::with(&index)
    }

    fn with(index: &IndexBuilder) -> Self {
        let mut keyring = Keyring::default();
        let key = FakeKey::a();
        let public = read_key(key.public_pem().as_bytes()).unwrap();
        keyring.add(TrustedKey::new(key.name(), key.name(), public)).unwrap();
        let signed = index.build();
        let options = ReadOptions { index_text: Keep::Text, ..ReadOptions::default() };
        let (policy, known) = (Policy::default(), Known::builtin());
        let proof = Proof { keyring: &keyring, policy: &policy, known: &known };
        let Subject::Index(claims) = read(&*signed, &options, &mut Scratch::default()).unwrap() else {
            panic!()
        };
        let verified = verify_index(claims, &proof).into_verified().unwrap();
        Self { entries: IndexEntries::new(verified).unwrap(), keyring }
    }

    fn judged(&self, bytes: &[u8], demand: SignatureDemand) -> Judgement<PackageClaims> {
        let (policy, known) = (Policy::default(), Known::builtin());
        let proof = Proof { keyring: &self.keyring, policy: &policy, known: &known };
        let options = ReadOptions::default();
        let Subject::Package(claims) = read(bytes, &options, &mut Scratch::default()).unwrap() else {
            panic!()
        };
        verify_package(claims, &proof).within_index(&self.entries, demand)
    }

    /// The road of trust, or the code of the refusal.
    fn judge(&self, bytes: &[u8], demand: SignatureDemand) -> Result<Via, &'static str> {
        let judged = self.judged(bytes, demand).into_verified();
        judged.map(|verified| verified.evidence().via()).map_err(|fault| fault.code())
    }

    fn judge_all(&self, package: &Package) -> [Result<Via, &'static str>; 3] {
        [SignatureDemand::Required, SignatureDemand::Known, SignatureDemand::IndexAlone]
            .map(|demand| self.judge(&package.bytes(), demand))
    }
}

fn builder() -> PackageBuilder {
    PackageBuilder::new("hello", "1.0-r0")
}

#[test]
fn a_signature_and_an_entry_are_both_evidence() {
    let package = builder().build_signed(&[(FakeKey::a(), Label::Rsa)]);
    let found = Repository::of(&[&package]).judge_all(&package);
    assert_eq!(found, [Ok(Via::SignatureAndIndex); 3]);
}

#[test]
fn the_index_speaks_for_a_package_of_an_unknown_key_where_that_is_chosen() {
    let package = builder().build_signed(&[(FakeKey::b(), Label::Rsa)]);
    let found = Repository::of(&[&package]).judge_all(&package);
    assert_eq!(found, [Err("untrusted"), Ok(Via::Index), Ok(Via::Index)]);
    let unsigned = builder().build_signed(&[]);
    let found = Repository::of(&[&unsigned]).judge_all(&unsigned);
    assert_eq!(found, [Err("unsigned"), Ok(Via::Index), Ok(Via::Index)]);
}

/// The signed bytes are those of the package: the index has others.
#[test]
fn the_span_of_the_evidence_lies_in_the_package_whoever_speaks_for_it() {
    let package = builder().build_signed(&[(FakeKey::b(), Label::Rsa)]);
    let begin = package.signature.len() as u64;
    let span = begin..begin + package.control.len() as u64;
    let judged = Repository::of(&[&package]).judged(&package.bytes(), SignatureDemand::IndexAlone);
    let evidence = judged.verified().unwrap().evidence();
    assert_eq!((evidence.via(), evidence.span()), (Via::Index, span));
}

#[test]
fn what_an_operator_waives_still_says_on_which_road_trust_came() {
    let unsafe_name = builder().data(|data| data.checked_file("../../etc/passwd", b"x"));
    let package = unsafe_name.build_signed(&[(FakeKey::a(), Label::Rsa)]);
    let judged = Repository::of(&[&package]).judged(&package.bytes(), SignatureDemand::Required);
    let code = judged.reason().unwrap().code();
    let evidence = judged.waiving(code).into_verified().unwrap().evidence().clone();
    assert_eq!(evidence.via(), Via::SignatureAndIndex);
}

#[test]
fn a_bad_signature_by_a_known_key_passes_on_the_index_alone_only() {
    let mut package = builder().build_signed(&[(FakeKey::a(), Label::Rsa)]);
    let other = PackageBuilder::new("other", "1.0-r0").build_signed(&[(FakeKey::a(), Label::Rsa)]);
    package.signature = other.signature;
    let found = Repository::of(&[&package]).judge_all(&package);
    assert_eq!(found, [Err("bad-signature"), Err("bad-signature"), Ok(Via::Index)]);
}

#[test]
fn no_choice_lets_a_package_pass_that_the_index_does_not_name() {
    let package = builder().build_signed(&[(FakeKey::b(), Label::Rsa)]);
    let other = builder().field("pkgdesc", "other").build_signed(&[(FakeKey::a(), Label::Rsa)]);
    for verdict in Repository::of(&[&other]).judge_all(&package) {
        assert!(matches!(verdict, Err("untrusted" | "index-identity")), "{verdict:?}");
    }
    for verdict in Repository::of(&[]).judge_all(&package) {
        assert!(matches!(verdict, Err("untrusted" | "not-in-index")), "{verdict:?}");
    }
}

#[test]
fn a_package_that_was_built_again_is_held_against_the_entry_of_its_architecture() {
    let package = builder().build_signed(&[(FakeKey::a(), Label::Rsa256)]);
    let before = builder().field("pkgdesc", "before").build_signed(&[(FakeKey::a(), Label::Rsa256)]);
    let foreign = "C:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=\nP:hello\nV:1.0-r0\nA:aarch64\nS:1\n\n";
    let index = IndexBuilder::default().text(foreign).package("hello", "1.0-r0", &before, "");
    let verdict = Repository::with(&index).judge(&package.bytes(), SignatureDemand::Required);
    assert_eq!(verdict, Err("index-identity"));
}

#[test]
fn no_choice_lets_other_data_or_other_faults_pass() {
    let package = builder().build_signed(&[(FakeKey::b(), Label::Rsa)]);
    let mut exchanged = package.clone();
    exchanged.data = builder().data(|data| data.checked_file("usr/share/x", b"x")).build().data;
    exchanged.data.resize(package.data.len(), 0);
    let found = Repository::of(&[&package]).judge_all(&exchanged);
    assert!(found.iter().all(Result::is_err), "{found:?}");
    let unsafe_name = builder().data(|data| data.checked_file("../../etc/passwd", b"x")).build();
    let found = Repository::of(&[&unsafe_name]).judge_all(&unsafe_name);
    assert!(found.iter().all(Result::is_err), "{found:?}");
}
