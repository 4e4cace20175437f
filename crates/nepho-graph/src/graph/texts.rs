//! Many texts one after the other in one piece of memory.

/// Texts by number. Costs their bytes and eight more each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    text: String,
    /// Where each text ends.
    ends: Vec<u64>,
}

impl Texts {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u64);
    }

    /// Adds all texts of another.
    pub fn append(&mut self, other: &Self) {
        let before = self.text.len() as u64;
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    /// The text of this number; `None` past the end.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The first index whose text is not less than `text`; the texts must be in ascending order.
    pub fn lower_bound(&self, text: &str) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|known| known < text) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The texts in another order: text `i` is what text `order[i]` was.
    pub(crate) fn reordered(&self, order: &[u32]) -> Self {
        let mut texts = Self { text: String::with_capacity(self.text.len()), ends: Vec::with_capacity(order.len()) };
        order.iter().for_each(|from| texts.push(self.get(*from as usize).unwrap_or_default()));
        texts
    }
}

impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn texts_come_back_and_are_found() {
        let texts: Texts = ["", "a", "ab", "ab", "ü"].into_iter().collect();
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["", "a", "ab", "ab", "ü"]);
        assert_eq!(texts.get(5), None);
        let found = ["", "aa", "ab", "b", "ü", "ÿ"].map(|text| texts.lower_bound(text));
        assert_eq!(found, [0, 2, 2, 4, 4, 5]);
        assert_eq!(texts.reordered(&[4, 1]).iter().collect::<Vec<_>>(), ["ü", "a"]);
    }
}
