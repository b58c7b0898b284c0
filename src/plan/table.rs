//! Rows found by a number of their own kind.

use std::marker::PhantomData;

use crate::limits::LimitReached;

/// A number of one kind of row.
pub(super) trait Number: Copy {
    /// The place of the row.
    fn place(self) -> usize;
    /// The number of the row at a place.
    fn of(place: u32) -> Self;
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub(super) struct $name(u32);

        impl Number for $name {
            fn place(self) -> usize {
                // invariant: an address space of 16 bits holds no table that this could be too large for.
                usize::try_from(self.0).unwrap_or(usize::MAX)
            }

            fn of(place: u32) -> Self {
                Self(place)
            }
        }
    };
}

number! {
    /// The number of a name.
    Name
}
number! {
    /// The number of a package.
    Package
}

/// The number of the row that will be added after so many.
pub(super) fn next<K: Number>(rows: usize, full: LimitReached) -> Result<K, LimitReached> {
    u32::try_from(rows).map(K::of).map_err(|_| full)
}

/// One row for each number. A number of another table finds an empty row.
#[derive(Clone, Debug)]
pub(super) struct Table<K, T> {
    rows: Vec<T>,
    empty: T,
    kind: PhantomData<K>,
}

impl<K: Number, T: Clone + Default> Table<K, T> {
    /// So many empty rows.
    pub(super) fn new(rows: usize) -> Self {
        Self::from(vec![T::default(); rows])
    }

    pub(super) fn from(rows: Vec<T>) -> Self {
        Self { rows, empty: T::default(), kind: PhantomData }
    }

    pub(super) fn at(&self, number: K) -> &T {
        self.rows.get(number.place()).unwrap_or(&self.empty)
    }

    pub(super) fn at_mut(&mut self, number: K) -> &mut T {
        self.rows.get_mut(number.place()).unwrap_or(&mut self.empty)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// A list for each number, all in one piece of memory.
#[derive(Debug)]
pub(super) struct Lists<K, T> {
    /// Where the list of each number ends; it begins where the one before it ends.
    ends: Vec<usize>,
    items: Vec<T>,
    kind: PhantomData<K>,
}

impl<K: Number, T> Lists<K, T> {
    /// Sorts items into lists, each in the order of the input.
    pub(super) fn new(mut items: Vec<(K, T)>, lists: usize) -> Self {
        items.sort_by_key(|(number, _)| number.place());
        let mut ends = vec![0; lists];
        for (number, _) in &items {
            if let Some(count) = ends.get_mut(number.place()) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        Self { ends, items: items.into_iter().map(|(_, item)| item).collect(), kind: PhantomData }
    }

    /// The list of a number.
    pub(super) fn of(&self, number: K) -> &[T] {
        let place = number.place();
        let begin =
            place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(place).and_then(|end| self.items.get(begin..*end)).unwrap_or_default()
    }
}
