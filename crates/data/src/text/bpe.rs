//! Tokens of frequent pieces.

use std::collections::HashMap;

use super::error::TokenizerError;
use super::pieces::pieces;
use super::train::{self, Pair};
use super::{Text, Tokenizer};

/// Byte-pair encoding: 256 tokens for the bytes, and one for each pair of tokens that was most frequent while it learned
/// (Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units", 2016). No token reaches across
/// words; a space before a word belongs to it. It learns the same from the same text on every machine.
///
/// ```
/// use wengert_data::text::{Bpe, Text, Tokenizer};
/// let text = Text::from("low lower lowest, slow slower slowest, low and slow");
/// let bpe = Bpe::train(&text, 270)?;
/// let tokens = bpe.encode(b"slow lowest");
/// assert!(tokens.len() < 6 && tokens.iter().any(|&token| token >= 256));
/// assert_eq!(bpe.decode_text(&tokens)?, "slow lowest");
/// // What it has never seen goes through as well.
/// assert_eq!(bpe.decode_text(&bpe.encode("µ🦀".as_bytes()))?, "µ🦀");
/// # Ok::<(), wengert_data::DataError>(())
/// ```
#[doc(alias = "BytePairEncoding")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bpe {
    merges: Vec<Pair>,
    /// The bytes of each token.
    pieces: Vec<Vec<u8>>,
    /// The number of the merge of each pair.
    ranks: HashMap<Pair, u32>,
}

impl Bpe {
    /// Learns from a text. It may find fewer than `vocabulary` tokens, as no pair is left that is there twice.
    ///
    /// # Errors
    /// [`VocabularySize`](TokenizerError::VocabularySize) if `vocabulary` is less than 256, the number of bytes, or more than
    /// 2³¹.
    pub fn train(text: &Text, vocabulary: usize) -> Result<Self, TokenizerError> {
        let Some(merges) = vocabulary.checked_sub(256).filter(|_| vocabulary <= 1 << 31) else {
            return Err(TokenizerError::VocabularySize { vocabulary });
        };
        Bpe::new(train::merges(text.bytes(), merges))
    }

    /// Of merges in their order, each of tokens that are there before.
    pub(super) fn new(merges: Vec<Pair>) -> Result<Self, TokenizerError> {
        let mut pieces: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
        let mut ranks = HashMap::with_capacity(merges.len());
        let mut total = 0usize;
        for (index, &(left, right)) in merges.iter().enumerate() {
            for token in [left, right] {
                if token as usize >= pieces.len() {
                    return Err(TokenizerError::UnknownPart { index, token, known: pieces.len() });
                }
            }
            if ranks.insert((left, right), index as u32).is_some() {
                return Err(TokenizerError::Repeated { index, left, right });
            }
            let piece = [&pieces[left as usize][..], &pieces[right as usize]].concat();
            total = total.saturating_add(piece.len());
            // Each merge may double the longest piece: a small file must not take all memory.
            if total > super::file::LARGEST {
                return Err(TokenizerError::TooLarge { limit: super::file::LARGEST });
            }
            pieces.push(piece);
        }
        Ok(Bpe { merges, pieces, ranks })
    }

    /// The pairs that are merged, in their order; number k becomes token 256 + k.
    pub fn merges(&self) -> &[(u32, u32)] {
        &self.merges
    }

    /// The tokens of one piece: always the earliest merge first.
    fn merged(&self, piece: &[u8]) -> Vec<u32> {
        let mut tokens: Vec<u32> = piece.iter().map(|&byte| u32::from(byte)).collect();
        loop {
            let ranks = tokens.windows(2).filter_map(|pair| self.ranks.get(&(pair[0], pair[1])));
            let Some(&rank) = ranks.min() else { return tokens };
            train::merge(&mut tokens, self.merges[rank as usize], 256 + rank);
        }
    }
}

impl Tokenizer for Bpe {
    fn vocabulary(&self) -> usize {
        self.pieces.len()
    }

    fn encode(&self, bytes: &[u8]) -> Vec<u32> {
        let mut known: HashMap<&[u8], Vec<u32>> = HashMap::new();
        let mut tokens = Vec::new();
        for piece in pieces(bytes) {
            tokens.extend_from_slice(known.entry(piece).or_insert_with(|| self.merged(piece)));
        }
        tokens
    }

    fn bytes(&self, token: u32) -> Option<&[u8]> {
        self.pieces.get(token as usize).map(Vec::as_slice)
    }
}
