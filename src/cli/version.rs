//! `apkvet version`: compares versions as apk does.

use std::cmp::Ordering;
use std::io::{self, BufRead, Read};

use clap::Args;
use serde::Serialize;

use crate::limits::Limits;
use crate::types::{Version, VersionOperator, VersionText, compare_versions, escape_all};

use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;

/// Compares two versions as apk does, or names those outside the grammar.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  apkvet version 1.2.9-r3 1.2.10-r0             prints <
  apkvet version --check 1.0-beta 1.0_beta      prints 1.0-beta, exit code 1
  echo '1.22.1-r0 ~ 1.22' | apkvet version -    prints true")]
pub(super) struct VersionArgs {
    /// Print the versions that are outside the grammar; exit code 1 if there is one
    #[arg(long)]
    check: bool,
    /// Two versions; or `-` to read `A OPERATOR B` from each line of standard input
    #[arg(required = true, allow_hyphen_values = true, value_name = "VERSION")]
    versions: Vec<String>,
}

/// One answer, as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    left: &'a str,
    operator: Option<&'a str>,
    right: Option<&'a str>,
    result: &'static str,
}

/// The last line, as JSON.
#[derive(Serialize)]
struct Summary {
    answers: u64,
    invalid: u64,
    exit: u8,
}

pub(super) fn run(args: VersionArgs, output: &mut Output) -> Result<Exit, Failure> {
    let mut answers = Answers { output, answers: 0, invalid: 0 };
    match (args.check, args.versions.as_slice()) {
        (true, versions) => answers.check(versions)?,
        (false, [stdin]) if stdin == "-" => answers.read(io::stdin().lock())?,
        (false, [a, b]) => answers.compare(a, b)?,
        _ => return Err(Failure::usage(anyhow::anyhow!("expected two versions, or `-`"))),
    }
    answers.finish(args.check)
}

struct Answers<'a> {
    output: &'a mut Output,
    answers: u64,
    invalid: u64,
}

impl Answers<'_> {
    /// Names the versions that are outside the grammar.
    fn check(&mut self, versions: &[String]) -> Result<(), Failure> {
        for version in versions {
            let result = if Version::parse(version.as_bytes()).is_ok() { "valid" } else { "invalid" };
            if !self.output.is_json() && result == "invalid" {
                self.output.line(&escape_all(version).to_string())?;
            }
            self.answer(&Answer { left: version, operator: None, right: None, result })?;
        }
        Ok(())
    }

    /// Prints the order of two versions; ungrammatical ones have an order, too.
    fn compare(&mut self, a: &str, b: &str) -> Result<(), Failure> {
        for version in [a, b] {
            if let Err(error) = Version::parse(version.as_bytes()) {
                self.output.warning(&format!("{error}; apk orders what comes before"));
            }
        }
        let result = match compare_versions(a, b) {
            Ordering::Less => "<",
            Ordering::Equal => "=",
            Ordering::Greater => ">",
        };
        if !self.output.is_json() {
            self.output.line(result)?;
        }
        self.answer(&Answer { left: a, operator: None, right: Some(b), result })
    }

    /// Answers each line of `A OPERATOR B`.
    fn read(&mut self, mut input: impl BufRead) -> Result<(), Failure> {
        let limit = Limits::default().line;
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = (&mut input).take(limit + 1).read_until(b'\n', &mut line).map_err(Failure::local)?;
            if read == 0 {
                break;
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            if text.len() == line.len() && u64::try_from(read).is_ok_and(|read| read > limit) {
                return Err(Failure::usage(anyhow::anyhow!("line {number} is longer than {limit} bytes")));
            }
            self.line(&String::from_utf8_lossy(text))?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        let words: Vec<&str> = line.split_ascii_whitespace().take(4).collect();
        let (left, operator, right) = match words.as_slice() {
            [] => return Ok(()),
            [left, operator, right] => (*left, Some(*operator), Some(*right)),
            _ => (line, None, None),
        };
        let holds = operator.zip(right).and_then(|(operator, right)| evaluate(left, operator, right));
        let result = match holds {
            Some(true) => "true",
            Some(false) => "false",
            None => "invalid",
        };
        if !self.output.is_json() {
            self.output.line(result)?;
        }
        self.answer(&Answer { left, operator, right, result })
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<(), Failure> {
        self.answers += 1;
        self.invalid += u64::from(answer.result == "invalid");
        if self.output.is_json() {
            self.output.record("status", answer)?;
        }
        Ok(())
    }

    fn finish(self, check: bool) -> Result<Exit, Failure> {
        let exit = if self.invalid == 0 { Exit::Holds } else { Exit::Refused };
        if self.output.is_json() {
            let (answers, invalid) = (self.answers, self.invalid);
            self.output.record("summary", &Summary { answers, invalid, exit: exit.code() })?;
        } else if check && self.invalid > 0 && self.output.verbosity() > 0 {
            self.output
                .warning(&format!("{} of {} versions are outside the grammar", self.invalid, self.answers));
        }
        Ok(exit)
    }
}

/// Judges `A OPERATOR B` as `apk` judges a candidate `A` against an atom: `B` must be within the grammar,
/// `A` is what a package calls itself. A leading `!` negates.
fn evaluate(left: &str, operator: &str, right: &str) -> Option<bool> {
    let (negated, operator) = operator.strip_prefix('!').map_or((false, operator), |rest| (true, rest));
    let operator = VersionOperator::parse(operator).ok().filter(|operator| !operator.is_identity())?;
    VersionText::parse(left.as_bytes()).ok()?;
    if !operator.accepts_all() {
        Version::parse(right.as_bytes()).ok()?;
    }
    Some(operator.accepts(left, right) != negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidate_may_leave_the_grammar_but_the_wanted_version_may_not() {
        assert_eq!(evaluate("1.0bc", "~", "1.0b"), Some(true));
        assert_eq!(evaluate("1.0b", "~", "1.0bc"), None);
        assert_eq!(evaluate("1.0/..", "<", "2"), None);
    }

    #[test]
    fn negation_and_the_full_set_are_read() {
        assert_eq!(evaluate("1", "!~", "1.0"), Some(true));
        assert_eq!(evaluate("1", "<=>", "anything"), Some(true));
        assert_eq!(evaluate("1", "><", "1"), None);
        assert_eq!(evaluate("1", "is", "1"), None);
    }
}
