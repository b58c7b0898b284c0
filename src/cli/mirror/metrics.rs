//! The figures of a run for Prometheus: a text file that its node exporter picks up.

use std::fmt::Write as _;
use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::replace::replace;
use crate::mirror::{LastRun, Status};

const SUCCESS: &str = "apkvet_mirror_last_success_timestamp_seconds";
const REFUSALS: &str = "apkvet_mirror_refused_runs_total";

/// Writes the file, whole or not at all; what only grows goes on from what stands there.
pub(super) fn write(path: &Path, status: &Status, run: &LastRun) -> Result<(), Failure> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    replace(path, text(status, run, &before).as_bytes())
}

/// The figures as text; `before` is what the last run left.
fn text(status: &Status, run: &LastRun, before: &str) -> String {
    let well = run.result == "ok";
    let success = if well { Some(run.time) } else { figure(before, SUCCESS) };
    let refusals = figure(before, REFUSALS).unwrap_or_default().saturating_add(u64::from(!well));
    let mut page = Page::default();
    page.family("apkvet_mirror_last_run_timestamp_seconds", "gauge", "When the last run ended.");
    page.line("apkvet_mirror_last_run_timestamp_seconds", &[], run.time);
    page.family("apkvet_mirror_last_run_ok", "gauge", "1 if the last run ended well, by what it came to.");
    page.line("apkvet_mirror_last_run_ok", &[("result", &run.result)], u64::from(well));
    if let Some(success) = success {
        page.family(SUCCESS, "gauge", "When a run last ended well.");
        page.line(SUCCESS, &[], success);
    }
    page.family(REFUSALS, "counter", "Runs that were refused or failed.");
    page.line(REFUSALS, &[], refusals);
    if let Some(generation) = status.generation {
        page.family("apkvet_mirror_generation", "gauge", "The number of the published generation.");
        page.line("apkvet_mirror_generation", &[], generation);
    }
    page.indexes(status);
    page.0
}

/// The value of a figure without labels.
fn figure(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// The text on its way.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn indexes(&mut self, status: &Status) {
        type Value = fn(&crate::mirror::IndexStatus) -> Option<u64>;
        let families: [(&str, &str, Value); 4] = [
            ("apkvet_mirror_index_timestamp_seconds", "When upstream made its index.", |index| index.time),
            ("apkvet_mirror_index_max_age_seconds", "How old the index may be.", |index| index.max_age),
            ("apkvet_mirror_packages", "Packages that the index names.", |index| {
                u64::try_from(index.packages).ok()
            }),
            ("apkvet_mirror_bytes", "The size of these packages.", |index| Some(index.bytes)),
        ];
        for (name, help, value) in families {
            let lines: Vec<_> =
                status.indexes.iter().filter_map(|index| Some((index, value(index)?))).collect();
            if lines.is_empty() {
                continue;
            }
            self.family(name, "gauge", help);
            for (index, value) in lines {
                let labels =
                    [("repository", index.place.repository.as_str()), ("arch", index.place.arch.as_str())];
                self.line(name, &labels, value);
            }
        }
    }
}

/// A label as the format wants it.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::{IndexStatus, Place};

    fn status() -> Status {
        let place = Place { repository: "v3.17/main".to_owned(), arch: "aarch64".to_owned() };
        let index = IndexStatus {
            place,
            packages: 3,
            bytes: 1000,
            dropped: 0,
            retained: 0,
            time: Some(1_700_000_000),
            upstream_sha256: None,
            description: None,
            age: Some(10),
            max_age: None,
        };
        Status {
            generation: Some(7),
            published: Some(1_700_000_100),
            tree: None,
            generations: Vec::new(),
            snapshots: Vec::new(),
            keys: Vec::new(),
            indexes: vec![index],
            last_run: None,
            findings: Vec::new(),
        }
    }

    fn refused(time: u64) -> LastRun {
        let finding = crate::mirror::Finding::error(crate::mirror::Class::State, "rollback", "older");
        LastRun::of(&[finding], time)
    }

    #[test]
    fn a_good_run_says_when_and_what_is_published() {
        let text = text(&status(), &LastRun::of(&[], 1_700_000_200), "");
        for line in [
            "apkvet_mirror_last_run_ok{result=\"ok\"} 1",
            "apkvet_mirror_last_success_timestamp_seconds 1700000200",
            "apkvet_mirror_refused_runs_total 0",
            "apkvet_mirror_generation 7",
            "apkvet_mirror_packages{repository=\"v3.17/main\",arch=\"aarch64\"} 3",
            "apkvet_mirror_index_timestamp_seconds{repository=\"v3.17/main\",arch=\"aarch64\"} 1700000000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("max_age"), "no bound, no figure:\n{text}");
    }

    #[test]
    fn a_refused_run_keeps_the_last_success_and_counts_on() {
        let first = text(&status(), &LastRun::of(&[], 100), "");
        let second = text(&status(), &refused(200), &first);
        let third = text(&status(), &refused(300), &second);
        assert!(third.contains("last_success_timestamp_seconds 100\n"), "{third}");
        assert!(third.contains("last_run_timestamp_seconds 300\n"), "{third}");
        assert!(third.contains("last_run_ok{result=\"state\"} 0\n"), "{third}");
        assert!(third.contains("refused_runs_total 2\n"), "{third}");
    }

    #[test]
    fn every_figure_has_its_help_and_its_type() {
        let text = text(&status(), &refused(5), "");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} ")));
        }
    }

    #[test]
    fn a_label_cannot_end_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
