//! The checksum of RocksDB's logs: CRC-32C (Castagnoli), eight bytes at a time.

/// The polynomial, lowest bit first.
const POLYNOMIAL: u32 = 0x82f6_3b78;
/// What a byte does to the checksum when `n` more bytes follow it, for `n` from 0 to 7.
const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u32, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut more = 1;
    while more < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[more - 1][byte];
            tables[more][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        more += 1;
    }
    tables
}

/// The checksum of several pieces, one behind the other.
pub fn crc32c(pieces: &[&[u8]]) -> u32 {
    !pieces.iter().fold(u32::MAX, |sum, piece| extend(sum, piece))
}

fn extend(mut sum: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word) ^ u64::from(sum);
        sum = (0..8).fold(0, |sum, at| sum ^ TABLES[7 - at][(word >> (8 * at) & 0xff) as usize]);
    }
    rest.iter().fold(sum, |sum, byte| sum >> 8 ^ TABLES[0][((sum ^ u32::from(*byte)) & 0xff) as usize])
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn it_is_that_of_rfc_3720() {
        assert_eq!(crc32c(&[&[0; 32]]), 0x8a91_36aa);
        assert_eq!(crc32c(&[&[0xff; 32]]), 0x62a8_ab43);
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xe306_9283);
    }
}
