//! How much memory a run may take.

/// What is taken where the machine does not say how much it has.
const UNKNOWN_BYTES: u64 = 1 << 30;

/// Reads `350M`, `2G` or a number of bytes.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => 0,
    };
    let bytes = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "write a number of bytes, such as 350M or 2G".to_owned())
}

/// A quarter of what the machine has.
pub fn default_bytes() -> u64 {
    machine_bytes().map_or(UNKNOWN_BYTES, |bytes| bytes / 4)
}

/// The memory of the machine, or of the part of it that this process may use.
fn machine_bytes() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let whole = read("/proc/meminfo")
        .as_deref()
        .and_then(total_of_meminfo)?;
    let limit = read("/sys/fs/cgroup/memory.max")
        .or_else(|| read("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
        .and_then(|text| text.trim().parse::<u64>().ok());
    Some(limit.map_or(whole, |limit| limit.min(whole)))
}

fn total_of_meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [
            ("1", 1),
            ("350M", 350 << 20),
            ("2g", 2 << 30),
            ("64KiB", 64 << 10),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in [
            "",
            "M",
            "0",
            "1.5G",
            "-1",
            "1T",
            "99999999999999999999",
            "20000000000G",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_the_machine_has_is_read() {
        let text = "MemTotal:       24529172 kB\nMemFree:         1 kB\n";
        assert_eq!(total_of_meminfo(text), Some(24_529_172 * 1024));
        assert_eq!(total_of_meminfo("MemFree: 1 kB"), None);
        assert!(default_bytes() > 0);
    }
}
