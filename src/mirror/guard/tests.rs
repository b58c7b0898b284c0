use super::*;
use crate::index::testing::index;

const DAY: u64 = 24 * 60 * 60;
/// 2026-01-01
const NEW_YEAR: u64 = 1_767_225_600;

struct Case {
    index: Index,
    sha256: &'static str,
    time: Option<u64>,
    description: Option<&'static str>,
}

impl Case {
    fn new(entries: &[&str], sha256: &'static str, time: Option<u64>) -> Self {
        Self { index: index(entries), sha256, time, description: Some("v3.17.0-1") }
    }

    fn offered(&self) -> Offered<'_> {
        let Self { index, sha256, time, description } = self;
        Offered { sha256, time: *time, description: *description, index }
    }

    fn remembered(&self) -> Remembered {
        Remembered::default().succeeded_by(&self.offered())
    }
}

fn rules() -> Rules<'static> {
    Rules { description: None, max_age: None, shrink_percent: 30, now: NEW_YEAR }
}

fn assess_with(new: &Case, old: Option<&Case>, rules: &Rules<'_>) -> Result<Noticed, Refused> {
    assess(&new.offered(), old.map(Case::remembered).as_ref(), rules, &Overrides::default())
}

#[test]
fn an_older_index_is_refused_and_the_same_one_is_not() {
    let old = Case::new(&["a 1"], "one", Some(NEW_YEAR - DAY));
    let newer = Case::new(&["a 2"], "two", Some(NEW_YEAR));
    let found = assess_with(&old, Some(&newer), &rules()).unwrap_err();
    assert_eq!(found, Refused::Rollback { found: NEW_YEAR - DAY, remembered: NEW_YEAR });
    assert!(found.to_string().contains("2025-12-31") && found.to_string().contains("2026-01-01"), "{found}");
    assert_eq!(assess_with(&newer, Some(&newer), &rules()), Ok(Noticed::default()));
    assert_eq!(assess_with(&newer, Some(&old), &rules()), Ok(Noticed::default()));
    assert_eq!(assess_with(&old, None, &rules()), Ok(Noticed::default()));
}

#[test]
fn a_rollback_is_allowed_for_the_one_index_that_is_named() {
    let old = Case::new(&["a 1"], "one", Some(NEW_YEAR - DAY));
    let newer = Case::new(&["a 2"], "two", Some(NEW_YEAR));
    let with = |digest: &str| {
        let overrides = Overrides { rollback: Some(digest.to_owned()), ..Overrides::default() };
        assess(&old.offered(), Some(&newer.remembered()), &rules(), &overrides)
    };
    assert_eq!(with("two").unwrap_err().code(), "rollback");
    assert_eq!(with("one").unwrap().lifted.len(), 1);
}

#[test]
fn an_index_without_a_time_goes_back_by_digest_and_by_versions() {
    let first = Case::new(&["a 1", "b 1"], "one", None);
    let second = Case::new(&["a 2", "b 1"], "two", None);
    let mixed = Case::new(&["a 1", "b 2"], "three", None);
    assert!(matches!(assess_with(&first, Some(&second), &rules()), Err(Refused::Versions { count: 1, .. })));
    let noticed = assess_with(&mixed, Some(&second), &rules()).unwrap();
    assert_eq!(noticed.warnings[0].0, "version-decreased");
    let remembered = first.remembered().succeeded_by(&second.offered()).succeeded_by(&mixed.offered());
    let again = assess(&second.offered(), Some(&remembered), &rules(), &Overrides::default());
    assert_eq!(again, Err(Refused::Seen));
}

#[test]
fn an_index_of_another_branch_is_refused_though_its_signature_holds() {
    let branch = Regex::new(r"^v3\.17\.").unwrap();
    let rules = Rules { description: Some(&branch), ..rules() };
    let mut case = Case::new(&["a 1"], "one", Some(NEW_YEAR));
    assert!(assess_with(&case, None, &rules).is_ok());
    for description in [Some("v3.16.0-1"), Some("x v3.17.0"), None] {
        case.description = description;
        assert_eq!(assess_with(&case, None, &rules).unwrap_err().code(), "description");
    }
}

#[test]
fn an_index_is_refused_a_day_ahead_of_the_clock_and_not_before() {
    let ahead = |seconds| assess_with(&Case::new(&["a 1"], "one", Some(NEW_YEAR + seconds)), None, &rules());
    assert!(ahead(DAY).is_ok());
    assert_eq!(ahead(DAY + 1), Err(Refused::Future { time: NEW_YEAR + DAY + 1 }));
}

#[test]
fn an_index_ages_and_is_refused_beyond_its_age() {
    let max_age = MaxAge { age: Duration::from_secs(10 * DAY), unknown: UnknownAge::Refuse };
    let with = |max_age| Rules { max_age: Some(max_age), ..rules() };
    let aged = |days| Case::new(&["a 1"], "one", Some(NEW_YEAR - days * DAY));
    assert_eq!(assess_with(&aged(5), None, &with(max_age)), Ok(Noticed::default()));
    assert_eq!(assess_with(&aged(6), None, &with(max_age)).unwrap().warnings[0].0, "ageing");
    let stale = assess_with(&aged(11), None, &with(max_age));
    assert_eq!(stale, Err(Refused::Stale { time: NEW_YEAR - 11 * DAY, days: 11, allowed: 10 }));
    let ageless = Case::new(&["a 1"], "one", None);
    assert_eq!(assess_with(&ageless, None, &with(max_age)), Err(Refused::Ageless));
    let warn = MaxAge { unknown: UnknownAge::Warn, ..max_age };
    assert_eq!(assess_with(&ageless, None, &with(warn)).unwrap().warnings[0].0, "age-unknown");
}

fn repository(count: usize) -> Case {
    let entries: Vec<String> = (0..count).map(|number| format!("p{number} 1")).collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    Case { index: index(&entries), ..Case::new(&["a 1"], "one", Some(NEW_YEAR)) }
}

#[test]
fn mass_deletion_is_refused_and_an_ordinary_day_is_not() {
    let before = repository(100);
    let after = |count| Case { sha256: "two", ..repository(count) };
    assert!(assess_with(&after(70), Some(&before), &rules()).is_ok());
    let shrunk = assess_with(&after(69), Some(&before), &rules());
    assert_eq!(shrunk, Err(Refused::Shrunk { vanished: 31, before: 100, allowed: 30 }));
    let overrides = Overrides { shrink: true, ..Overrides::default() };
    let allowed = assess(&after(1).offered(), Some(&before.remembered()), &rules(), &overrides);
    assert_eq!(allowed.unwrap().lifted[0].code(), "shrunk");
}

#[test]
fn a_small_repository_may_lose_all_but_its_last_package() {
    let before = repository(5);
    let after = |entries: &[&str]| Case::new(entries, "two", Some(NEW_YEAR));
    assert!(assess_with(&after(&["p0 1"]), Some(&before), &rules()).is_ok());
    assert_eq!(assess_with(&after(&[]), Some(&before), &rules()).unwrap_err().code(), "shrunk");
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut remembered = Remembered::default();
    for number in 0..1000 {
        let case = Case::new(&["a 1"], "x", None);
        let digest = format!("digest-{number}");
        remembered = remembered.succeeded_by(&Offered { sha256: &digest, ..case.offered() });
    }
    assert_eq!(remembered.before.len(), Remembered::KEPT);
    assert_eq!(remembered.before.last().unwrap(), "digest-998");
}
