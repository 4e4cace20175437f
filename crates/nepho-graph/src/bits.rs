//! A packed vector of bits.

/// Bits, 64 to a word. Bits past the length are always zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    length: usize,
}

impl Bits {
    /// `length` bits, all the same.
    pub fn filled(length: usize, value: bool) -> Self {
        let mut bits = Self { words: vec![if value { u64::MAX } else { 0 }; length.div_ceil(64)], length };
        bits.trim();
        bits
    }

    /// Whether there are no bits.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many bits there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// The bit at `index`; false past the end.
    #[inline]
    pub fn get(&self, index: usize) -> bool {
        self.words.get(index >> 6).is_some_and(|word| word >> (index & 63) & 1 == 1)
    }

    /// Sets the bit at `index` to true; nothing past the end.
    #[inline]
    pub fn set(&mut self, index: usize) {
        if index < self.length
            && let Some(word) = self.words.get_mut(index >> 6)
        {
            *word |= 1 << (index & 63);
        }
    }

    /// Appends one bit.
    pub fn push(&mut self, value: bool) {
        if self.length & 63 == 0 {
            self.words.push(0);
        }
        self.length += 1;
        if value {
            self.set(self.length - 1);
        }
    }

    /// Grows to `length` with false.
    pub fn grow(&mut self, length: usize) {
        if length > self.length {
            self.words.resize(length.div_ceil(64), 0);
            self.length = length;
        }
    }

    /// Adds all bits of another.
    pub fn append(&mut self, other: &Self) {
        let (from, shift) = (self.length >> 6, self.length & 63);
        self.grow(self.length + other.length);
        let target = self.words.get_mut(from..).unwrap_or_default();
        for (at, word) in other.words.iter().enumerate() {
            if let Some(low) = target.get_mut(at) {
                *low |= word << shift;
            }
            if shift != 0
                && let Some(high) = target.get_mut(at + 1)
            {
                *high |= word >> (64 - shift);
            }
        }
    }

    /// How many are true.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether any is true.
    pub fn any(&self) -> bool {
        self.words.iter().any(|word| *word != 0)
    }

    /// The words.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Bits made of whole words by `word(index)`; what lies past `length` is cut off.
    pub fn from_words(length: usize, word: impl FnMut(usize) -> u64) -> Self {
        let mut bits = Self { words: (0..length.div_ceil(64)).map(word).collect(), length };
        bits.trim();
        bits
    }

    /// The positions of the true bits, ascending.
    pub fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }

    fn trim(&mut self) {
        let used = self.length & 63;
        if used != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn bits_past_the_length_are_never_seen() {
        let bits = Bits::filled(70, true);
        assert_eq!(bits.count(), 70);
        assert_eq!(bits.ones().last(), Some(69));
        assert!(!bits.get(70));
        assert_eq!(Bits::from_words(3, |_| u64::MAX).count(), 3);
    }

    #[test]
    fn appended_bits_follow_the_others() {
        for first in [0, 1, 63, 64, 65, 130] {
            for second in [0, 1, 63, 64, 65, 200] {
                let mut all = Bits::default();
                let mut parts = [Bits::default(), Bits::default()];
                for index in 0..first + second {
                    all.push(index % 3 != 1);
                    parts[usize::from(index >= first)].push(index % 3 != 1);
                }
                let [mut joined, rest] = parts;
                joined.append(&rest);
                assert_eq!(joined, all, "{first} and {second}");
            }
        }
    }

    #[test]
    fn pushed_bits_are_found_again() {
        let mut bits = Bits::default();
        for index in 0..200 {
            bits.push(index % 3 == 0);
        }
        assert_eq!(bits.ones().collect::<Vec<_>>(), (0..200).step_by(3).collect::<Vec<_>>());
    }
}
