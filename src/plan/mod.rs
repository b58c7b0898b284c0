//! What is to be mirrored, and why: from requests and verified indexes to a list of packages.
//!
//! Everything here is pure and deterministic. The truth is the choice of `apk`: greedy, without
//! backtracking, and reproduced as it is, since clients get what `apk` chooses and nothing better.

mod atom;
mod chosen;
mod closure;
mod hash_order;
mod item;
mod plan_error;
mod prove;
pub mod repositories;
mod request;
mod roots;
mod solve;
mod steps;
mod table;
mod universe;
mod why;
mod world;

pub use chosen::Chosen;
pub use closure::{Closure, LeftOut, providers, solved};
pub use item::{Action, Held, Plan, PlanItem, Wanted};
pub use plan_error::PlanError;
pub use prove::{Difference, Unproven, Unsolved, prove};
pub use request::{Request, RequestError};
pub use solve::{Problem, Solution, SolveErrors, solve};
pub use universe::{Candidate, Source, Universe};
pub use world::{World, WorldError};
