//! Reading the trust state: a tree without one has forgotten what it must not fall back behind.

use super::fetch::local;
use super::finding::{Class, Finding};
use super::label;
use super::state::State;
use crate::limits::Limits;
use crate::publish::{Look, Manifest};

/// Whether a run may begin without what was remembered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Init {
    /// No.
    #[default]
    Refuse,
    /// Yes, for this run: what upstream offers now becomes what is remembered.
    Allow,
}

/// The state of a tree, held against what the tree says itself.
///
/// # Errors
/// - State lost, damaged, or older than the tree.
pub(super) fn recall(
    look: &Look,
    published: Option<&Manifest>,
    limits: &Limits,
    init: Init,
) -> Result<(State, Vec<Finding>), Finding> {
    let document = look.read_document(State::DOCUMENT).map_err(|error| local(&error))?;
    let found = match (document, published) {
        (None, None) => return Ok((State::default(), Vec::new())),
        (None, Some(_)) if !checked!("state-missing") => Ok(State::default()),
        (None, Some(_)) => {
            Err(lost("state-missing", "the tree is there, but nothing is remembered of it".to_owned()))
        }
        (Some(bytes), _) => State::parse(&bytes, limits)
            .map_err(|error| lost("state-damaged", format!("the trust state cannot be read: {error}")))
            .and_then(|state| match published {
                Some(manifest) => is_current(&state, manifest).map(|()| state),
                None => Ok(state),
            }),
    };
    match (found, init) {
        (Ok(state), _) => Ok((state, Vec::new())),
        (Err(finding), Init::Refuse) => Err(finding),
        (Err(finding), Init::Allow) => {
            let message = format!("begun anew, as allowed for this run: {}", finding.message);
            Ok((State::default(), vec![Finding::warning(finding.code, message)]))
        }
    }
}

/// A state that does not know an index that is published is older than the tree.
fn is_current(state: &State, manifest: &Manifest) -> Result<(), Finding> {
    for (place, upstream) in manifest.entries().filter_map(label::read_index) {
        let known = state.remembered(&place).is_some_and(|remembered| {
            remembered.sha256 == upstream || remembered.before.iter().any(|digest| digest == upstream)
        });
        if checked!("state-older") && !known {
            let message =
                "an index is published that the trust state does not know: the state is older than the tree";
            return Err(lost("state-older", message.to_owned()).at(&place));
        }
    }
    Ok(())
}

fn lost(code: &'static str, message: String) -> Finding {
    let remedy = "put back state/trust.json from a backup; --init-state takes what upstream offers now, whatever was before";
    Finding::error(Class::State, code, message).remedied(Some(remedy))
}
